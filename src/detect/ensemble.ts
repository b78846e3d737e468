import type { FlowWeights } from '../core/flow-spec.ts'
import type { Anchor } from '../features/anchors/anchor.ts'
import type { EncodedBatch } from '../features/encoded.ts'
import { View } from '../features/view.ts'
import { FlowScorer } from '../kernel/flow-scorer.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { MixtureScorer } from '../kernel/mixture-scorer.ts'
import type { Manifest } from './model-file/manifest.ts'

export type MemberState = Manifest['members'][number]

/** The view whose members make log_prob; the others take part in the ranking alone. */
export const EXACT = 'exact'

/** A density can be too small for a float; it stays comparable and finite. */
const LEAST = -1e30

/** What the members say of a batch of encoded records; all in nats. */
export interface Densities {
  /**
   * Per member, [rows]: log density in encoded space, log P(discrete part) included for members of the exact view; of a
   * mixture, the log density of the weakest field given the others.
   */
  readonly members: readonly Float64Array[]
  /** [rows]: log P(discrete) + log mean exp over the members of the exact view: the mixture's encoded density. */
  readonly exact: Float64Array
}

/** The flows and mixtures of a detector, ready to score in this thread. */
export class Ensemble implements Disposable {
  readonly #groups: readonly { readonly view: View; readonly members: readonly number[] }[]
  /** null where the view has no dimension: its density is that of the discrete part alone. */
  readonly #scorers: readonly (FlowScorer | null)[]
  readonly #mixtures: readonly (MixtureScorer | null)[]
  readonly #exact: readonly number[]

  constructor(
    kernel: Kernel,
    members: readonly Pick<MemberState, 'view' | 'flow' | 'mixture'>[],
    weights: readonly FlowWeights[],
    anchors: readonly Anchor[],
  ) {
    const groups = new Map<string, { view: View; members: number[] }>()
    for (const [m, { view }] of members.entries()) {
      const key = JSON.stringify(view)
      const group = groups.get(key) ?? { view: new View(view, anchors), members: [] }
      groups.set(key, group)
      group.members.push(m)
    }
    this.#groups = [...groups.values()]
    this.#scorers = members.map(({ flow }, m) =>
      flow === null ? null : new FlowScorer(kernel, flow, weights[m]),
    )
    this.#mixtures = members.map(({ view, mixture }, m) =>
      mixture ? new MixtureScorer(kernel, weights[m], view.dims.length) : null,
    )
    this.#exact = members.flatMap(({ view }, m) => (view.name === EXACT ? [m] : []))
  }

  evaluate(encoded: EncodedBatch): Densities {
    const members: Float64Array[] = this.#scorers.map(() => new Float64Array(0))
    for (const { view, members: own } of this.#groups) this.#evaluate(encoded, view, own, members)
    return {
      members,
      exact: mixtureOf(
        this.#exact.map((m) => members[m]),
        encoded.rows,
      ),
    }
  }

  /** `exact` of `evaluate` alone: the other members are left out. */
  exact(encoded: EncodedBatch): Float64Array {
    const members: Float64Array[] = []
    for (const { view, members: own } of this.#groups)
      if (view.spec.name === EXACT) this.#evaluate(encoded, view, own, members)
    return mixtureOf(
      this.#exact.map((m) => members[m]),
      encoded.rows,
    )
  }

  #evaluate(encoded: EncodedBatch, view: View, own: readonly number[], members: Float64Array[]): void {
    const input = view.input(encoded)
    const discrete = view.spec.name === EXACT ? encoded.logDiscrete : undefined
    for (const m of own) {
      const mixture = this.#mixtures[m]
      if (mixture !== null) {
        members[m] = mixture.weakest(input.x, encoded.rows, input.fill)
        continue
      }
      const density = this.#scorers[m]?.logProb(input.x, input.context, encoded.rows)
      members[m] = completed(density ?? new Float64Array(encoded.rows), input.correction, discrete)
    }
  }

  [Symbol.dispose](): void {
    for (const scorer of [...this.#scorers, ...this.#mixtures]) scorer?.dispose()
  }
}

function completed(
  density: Float64Array,
  correction: Float64Array,
  discrete: Float64Array | undefined,
): Float64Array {
  for (let i = 0; i < density.length; i++) {
    const value = density[i] + correction[i] + (discrete === undefined ? 0 : discrete[i])
    density[i] = value > LEAST ? value : LEAST
  }
  return density
}

/** log of the mean of the densities. */
function mixtureOf(members: readonly Float64Array[], rows: number): Float64Array {
  if (members.length === 1) return members[0]
  const out = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    let peak = LEAST
    for (const density of members) if (density[i] > peak) peak = density[i]
    let sum = 0
    for (const density of members) sum += Math.exp(density[i] - peak)
    out[i] = peak + Math.log(sum / members.length)
  }
  return out
}
