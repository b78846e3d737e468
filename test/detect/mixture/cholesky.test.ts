import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { cholesky, inverseOfLower } from '../../../src/detect/mixture/cholesky.ts'

const DIM = 7
const product = (a: Float64Array, b: (i: number, j: number) => number) =>
  Float64Array.from({ length: DIM * DIM }, (_, at) => {
    let sum = 0
    for (let k = 0; k < DIM; k++) sum += a[Math.floor(at / DIM) * DIM + k] * b(k, at % DIM)
    return sum
  })

describe('cholesky', () => {
  it('factors a positive definite matrix, and its inverse whitens', () => {
    const rng = random(2)
    const root = Float64Array.from({ length: DIM * DIM }, () => rng.normal())
    const matrix = product(root, (i, j) => root[j * DIM + i])
    const factor = cholesky(matrix, DIM)!
    const back = product(factor, (i, j) => factor[j * DIM + i])
    for (const [at, value] of back.entries()) expect(value).toBeCloseTo(matrix[at], 9)
    const unit = product(inverseOfLower(factor, DIM), (i, j) => factor[i * DIM + j])
    for (const [at, value] of unit.entries()) expect(value).toBeCloseTo(at % (DIM + 1) === 0 ? 1 : 0, 9)
  })

  it('says so where a matrix is not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBeNull()
    expect(cholesky(Float64Array.of(Number.NaN), 1)).toBeNull()
  })
})
