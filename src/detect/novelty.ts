import type { EncodedBatch } from '../features/encoded.ts'
import type { FeatureEncoder } from '../features/encoder.ts'

/**
 * How improbable what a record has for the first time is: Σ −log P(unseen) over its unseen levels, the largest
 * −log P(unseen together) of its pairs of known levels that depend on each other, and what the
 * encoder charged for things that never were (a constant that changed, a value missing or beside its grid for the
 * first time). 0 for records of known parts only; nats, unit-free.
 */
export class Novelty {
  readonly #discrete: FeatureEncoder['discrete']
  /** Per discrete column, −log P(code 0); 0 where the column only conditions. */
  readonly #unseen: Float64Array

  constructor({ layout, discrete }: FeatureEncoder) {
    this.#discrete = discrete
    this.#unseen = Float64Array.from(layout.discrete, ({ role }, k) =>
      role === 'context' ? 0 : -discrete.logMarginal(k, 0),
    )
  }

  of({ rows, codes, notes, logDiscrete }: EncodedBatch): Float64Array {
    const out = new Float64Array(rows)
    const width = this.#unseen.length
    for (let i = 0, at = 0; i < rows; i++, at += width) {
      let pair = 0
      for (let k = 0; k < width; k++) {
        if (codes[at + k] === 0) out[i] += this.#unseen[k]
        else pair = Math.max(pair, this.#discrete.newPair(codes, at, k))
      }
      out[i] += pair
    }
    const known = new Float64Array(1)
    for (const row of notes.keys()) {
      known[0] = 0
      if (width > 0) this.#discrete.addLogProb(codes.subarray(row * width, (row + 1) * width), 1, known)
      out[row] += Math.max(0, known[0] - logDiscrete[row])
    }
    return out
  }
}
