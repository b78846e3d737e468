import type { EncodedBatch } from '../features/encoded.ts'
import type { FeatureEncoder } from '../features/encoder.ts'
import { logNeverSeen } from '../features/encoder-state.ts'

/**
 * How improbable what a record has for the first time is: Σ −log P(unseen) over its unseen levels, and −log 1 / (n + 2)
 * for a constant that changed or a value missing that never was. 0 for records of known parts only; nats, unit-free.
 */
export class Novelty {
  /** Per discrete column, −log P(code 0); 0 where the column only conditions. */
  readonly #unseen: Float64Array
  readonly #coded: readonly string[]
  readonly #never: number

  constructor({ layout, discrete, state }: FeatureEncoder) {
    this.#unseen = Float64Array.from(layout.discrete, ({ role }, k) =>
      role === 'context' ? 0 : -discrete.logMarginal(k, 0),
    )
    this.#coded = layout.discrete.map(({ field }) => `${field}: `)
    this.#never = -logNeverSeen(state.rows)
  }

  of({ rows, codes, notes }: EncodedBatch): Float64Array {
    const out = new Float64Array(rows)
    const width = this.#unseen.length
    for (let i = 0, at = 0; i < rows; i++) {
      for (let k = 0; k < width; k++, at++) if (codes[at] === 0) out[i] += this.#unseen[k]
    }
    for (const [row, remarks] of notes) {
      for (const remark of remarks) {
        if (!this.#coded.some((field) => remark.startsWith(field))) out[row] += this.#never
      }
    }
    return out
  }
}
