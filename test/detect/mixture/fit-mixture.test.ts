import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../../src/core/errors.ts'
import type { Matrix } from '../../../src/core/flow-spec.ts'
import { random } from '../../../src/core/random.ts'
import { fitMixture } from '../../../src/detect/mixture/fit-mixture.ts'
import { loadKernel } from '../../../src/kernel/kernel.ts'
import { MixtureScorer } from '../../../src/kernel/mixture-scorer.ts'

const CENTRES = [
  [-4, 0],
  [4, 0],
  [0, 5],
]
function islands(rows: number, seed: number): Matrix {
  const rng = random(seed)
  const data = Float32Array.from({ length: rows * 2 })
  for (let row = 0; row < rows; row++) {
    const [x, y] = CENTRES[rng.integer(CENTRES.length)]
    const shared = rng.normal()
    data[2 * row] = x + shared
    data[2 * row + 1] = y + 0.6 * shared + 0.8 * rng.normal()
  }
  return { rows, columns: 2, data }
}
const options = { noise: [1e-6, 1e-6], seed: 4 }
/** log 3 + that of a Gaussian with covariance determinant 0.64; the islands hardly overlap. */
const ENTROPY = Math.log(3) + Math.log(2 * Math.PI * Math.E) + 0.5 * Math.log(0.64)

describe('fitMixture', () => {
  it('comes within 0.05 nats of the entropy of three islands', async () => {
    const { mixture, heldOutNll } = await fitMixture(islands(3000, 1), islands(1000, 2), options)
    const test = islands(20_000, 3)
    const nll = -mixture.logProb(test.data, test.rows).reduce((sum, l) => sum + l, 0) / test.rows
    expect(nll).toBeGreaterThan(ENTROPY - 0.02)
    expect(nll).toBeLessThan(ENTROPY + 0.05)
    expect(heldOutNll).toBeCloseTo(nll, 0)
  })

  it('knows the same from the same seed', async () => {
    const [a, b] = [
      await fitMixture(islands(400, 1), islands(100, 2), options),
      await fitMixture(islands(400, 1), islands(100, 2), options),
    ]
    expect(a.mixture.tensors).toEqual(b.mixture.tensors)
  })

  it('keeps to one component where rows are few', async () => {
    const { mixture } = await fitMixture(islands(19, 1), islands(10, 2), options)
    expect(mixture.components).toBe(1)
  })

  it('takes duplicates, constants and a single row', async () => {
    const flat: Matrix = { rows: 500, columns: 3, data: new Float32Array(1500).fill(2) }
    const one: Matrix = { rows: 1, columns: 3, data: Float32Array.of(1, 2, 3) }
    for (const train of [flat, one]) {
      const { mixture } = await fitMixture(train, one, { noise: [0.0025, 0.0025, 0.0025], seed: 1 })
      expect(mixture.conditionals(one.data, 1).every(Number.isFinite)).toBe(true)
    }
  })

  it('judges what breaks a dependence below what is rare in the usual way', async () => {
    const { mixture } = await fitMixture(islands(3000, 1), islands(1000, 2), options)
    const scorer = new MixtureScorer(loadKernel(), mixture.tensors, mixture.dim)
    const [usual, broken] = scorer.weakest(Float32Array.of(-5.5, -0.9, -5, 1.5), 2)
    scorer.dispose()
    expect(broken).toBeLessThan(usual - 1)
  })

  it('stops on request', async () => {
    const error = await fitMixture(islands(300, 1), islands(100, 2), {
      ...options,
      signal: AbortSignal.abort(),
    }).catch((caught: unknown) => caught)
    expect(isSurprisalError(error, 'ABORTED')).toBe(true)
  })
})
