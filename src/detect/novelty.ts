import { beyond, type Fringe } from '../features/columns/fringe.ts'
import type { EncodedBatch } from '../features/encoded.ts'
import type { FeatureEncoder } from '../features/encoder.ts'

/**
 * How improbable what a record has for the first time is: Σ −log P(unseen) over its unseen levels, the largest
 * −log P(unseen together) of its pairs of known levels that depend on each other, what the
 * encoder charged for things that never were (a constant that changed, a value missing or beside its grid for the
 * first time), and Σ_j asinh(−log P_j) over the numbers that lie among or beyond the outermost of their column (see
 * `beyond`; levels of windows have no fringe): joint densities, which fit where records are many, say little of how far
 * out a value is. 0 for records of known parts only; nats, unit-free.
 */
export class Novelty {
  readonly #discrete: FeatureEncoder['discrete']
  /** Per discrete column, −log P(code 0); 0 where the column only conditions. */
  readonly #unseen: Float64Array
  readonly #fringes: readonly (readonly [column: number, fringe: Fringe])[]
  readonly #numbers: number

  constructor({ layout, discrete }: FeatureEncoder) {
    this.#discrete = discrete
    this.#unseen = Float64Array.from(layout.discrete, ({ role }, k) =>
      role === 'context' ? 0 : -discrete.logMarginal(k, 0),
    )
    this.#numbers = layout.numeric.length
    this.#fringes = layout.numeric.flatMap(({ fringe }, column) =>
      fringe === undefined ? [] : [[column, fringe] as const],
    )
  }

  of({ rows, codes, joint, notes, logDiscrete }: EncodedBatch): Float64Array {
    const out = new Float64Array(rows)
    for (const [column, fringe] of this.#fringes)
      for (let i = 0, at = column; i < rows; i++, at += this.#numbers) {
        const far = beyond(joint[at], fringe)
        if (far > 0) out[i] += Math.asinh(far)
      }
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
