import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../../src/core/errors.ts'
import { GaussianMixture } from '../../../src/detect/mixture/gaussian-mixture.ts'

const DIM = 2
const tensor = (shape: number[], data: number[]) => ({ shape, data: Float32Array.from(data) })
const TENSORS = new Map([
  ['log_weight', tensor([2], [Math.log(0.3), Math.log(0.7)])],
  ['mean', tensor([2, DIM], [-1, 0.5, 1, 0])],
  ['whitening', tensor([2, DIM, DIM], [2, 0, -1.5, 1.2, 1, 0, 0.4, 0.8])],
  ['median', tensor([DIM], [-1, -2])],
])
const mixture = new GaussianMixture(TENSORS, DIM)
const p = (x: number, y: number) => Math.exp(mixture.logProb(Float32Array.of(x, y), 1)[0])
const STEP = 0.05
const grid = Array.from({ length: 400 }, (_, i) => (i - 200) * STEP)

describe('GaussianMixture', () => {
  it('has a density that sums to 1', () => {
    const sum = grid.reduce((total, x) => total + grid.reduce((line, y) => line + p(x, y), 0), 0)
    expect(sum * STEP * STEP).toBeCloseTo(1, 4)
  })

  it('knows log p(x_j | x_−j) exactly', () => {
    for (const [x, y] of [
      [0.3, -0.7],
      [-1.2, 2],
      [4, 4],
    ]) {
      const overX = grid.reduce((sum, v) => sum + p(v, y) * STEP, 0)
      const overY = grid.reduce((sum, v) => sum + p(x, v) * STEP, 0)
      const [givenY, givenX] = mixture.conditionals(Float32Array.of(x, y), 1)
      expect(givenY).toBeCloseTo(Math.log(p(x, y) / overX), 3)
      expect(givenX).toBeCloseTo(Math.log(p(x, y) / overY), 3)
    }
  })

  it('gives the components their shares of a row', () => {
    const shares = new Float64Array(4)
    const mean = mixture.respond(Float32Array.of(-1, 0.5, 30, 30), 2, shares)
    expect(shares[0] + shares[1]).toBeCloseTo(1, 12)
    expect(shares[0]).toBeGreaterThan(0.5)
    expect(shares[3]).toBeGreaterThan(0.99)
    expect(mean).toBeLessThan(-100)
  })

  it('stays finite however far a row lies', () => {
    for (const v of [1e4, -1e10, 3e38]) {
      const x = Float32Array.of(v, -v)
      expect(Number.isFinite(mixture.logProb(x, 1)[0])).toBe(true)
      expect(mixture.conditionals(x, 1).every(Number.isFinite)).toBe(true)
    }
  })

  it.each([
    ['no components', 'log_weight', tensor([0], [])],
    ['a mean too few', 'mean', tensor([1], [0])],
    ['a scale of 0', 'whitening', tensor([2, DIM, DIM], [0, 0, -1.5, 1.2, 1, 0, 0.4, 0.8])],
    ['a number that is none', 'median', tensor([DIM], [0, Number.NaN])],
  ])('refuses %s', (_what, name, wrong) => {
    let error: unknown
    try {
      new GaussianMixture(new Map([...TENSORS, [name, wrong]]), DIM)
    } catch (caught) {
      error = caught
    }
    expect(isSurprisalError(error, 'MODEL_INVALID')).toBe(true)
  })
})
