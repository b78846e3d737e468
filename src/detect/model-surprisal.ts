import type { EncodedBatch } from '../features/encoded.ts'
import { FeatureEncoder } from '../features/encoder.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { Strata } from './calibration/strata.ts'
import { combine } from './combination.ts'
import { Ensemble } from './ensemble.ts'
import type { Model } from './model-file/artifact.ts'
import { Novelty } from './novelty.ts'

/** What a fitted model says of encoded records, before calibration; for one thread. */
export class ModelSurprisal implements Disposable {
  readonly encoder: FeatureEncoder
  readonly #members: Model['manifest']['members']
  readonly #ensemble: Ensemble
  readonly #novelty: Novelty
  readonly #strata: Strata | undefined

  constructor({ manifest, weights }: Pick<Model, 'manifest' | 'weights'>, kernel: Kernel) {
    this.encoder = FeatureEncoder.fromState(manifest.encoder)
    this.#members = manifest.members
    this.#ensemble = new Ensemble(kernel, manifest.members, weights, this.encoder.anchors)
    this.#novelty = new Novelty(this.encoder)
    const { strata } = manifest.calibration
    this.#strata = strata && new Strata(strata)
  }

  /** [rows] each: the surprisal that decides, aligned by the model's strata, and the exact density in encoded space, nats. */
  of(
    encoded: EncodedBatch,
    entity: readonly (string | null)[] | undefined,
  ): { readonly surprisals: Float64Array; readonly exact: Float64Array } {
    const { members, exact } = this.#ensemble.evaluate(encoded)
    const surprisals = combine(members, this.#members, this.#novelty.of(encoded))
    this.#strata?.align(surprisals, this.#strata.keysOf(encoded, entity))
    return { surprisals, exact }
  }

  /** `exact` of `of` alone. */
  exact(encoded: EncodedBatch): Float64Array {
    return this.#ensemble.exact(encoded)
  }

  [Symbol.dispose](): void {
    this.#ensemble[Symbol.dispose]()
  }
}
