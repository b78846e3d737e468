import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { glow, realNvp } from '../../src/flow/architectures.ts'
import { luFactors, randomOrthogonal } from '../../src/flow/orthogonal.ts'
import { copyWeights, initialWeights } from '../../src/flow/weights.ts'

const context = { numeric: 1, embeddings: [{ levels: 2000, width: 2 }] }

describe('initialWeights', () => {
  const spec = glow({ dim: 16, steps: 2, context })

  it('is the same for the same seed only', () => {
    expect(initialWeights(spec, 3)).toEqual(initialWeights(spec, 3))
    expect(initialWeights(spec, 3)).not.toEqual(initialWeights(spec, 4))
  })

  it('has the spreads it states', () => {
    const weights = initialWeights(spec, 1)
    const deviation = (name: string) => {
      const { data } = weights.get(name)!
      return Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length)
    }
    expect(deviation('2.weight.0') / Math.sqrt(2 / 11)).toBeCloseTo(1, 1)
    expect(deviation('2.weight.1') / Math.sqrt(2 / 64)).toBeCloseTo(1, 1)
    expect(deviation('2.weight.2') / (0.01 / 8)).toBeCloseTo(1, 1)
    expect(deviation('context.embedding.0') / 0.1).toBeCloseTo(1, 1)
    expect(deviation('2.bias.0')).toBe(0)
  })

  it('of Real NVP holds orthogonal rotations at any dim', () => {
    const { data } = initialWeights(realNvp({ dim: 64, steps: 1 }), 1).get('1.matrix')!
    for (let r = 0; r < 64; r++)
      for (let k = 0; k <= r; k++) {
        let product = 0
        for (let c = 0; c < 64; c++) product += data[r * 64 + c] * data[k * 64 + c]
        expect(Math.abs(product - Number(k === r))).toBeLessThan(1e-5)
      }
  })

  it('is copied without ties', () => {
    const weights = initialWeights(spec, 1)
    const copy = copyWeights(weights)
    expect(copy).toEqual(weights)
    copy.get('0.bias')!.data[0] = 1
    expect(weights.get('0.bias')!.data[0]).toBe(0)
  })
})

describe('luFactors', () => {
  it.each([1, 2, 9, 64])('multiply to the matrix again at dim %d', (dim) => {
    const matrix = randomOrthogonal(dim, random(dim))
    const { lower, upper, diagonal, permutation } = luFactors(matrix, dim)
    for (let r = 0; r < dim; r++) {
      const row = permutation[r]
      for (let c = 0; c < dim; c++) {
        let sum = 0
        for (let k = 0; k <= Math.min(row, c); k++) {
          const l = k === row ? 1 : lower[row * dim + k]
          const u = k === c ? diagonal[c] : upper[k * dim + c]
          sum += l * u
        }
        expect(sum).toBeCloseTo(matrix[r * dim + c], 10)
      }
    }
  })
})
