import type { Random } from '../core/random.ts'

/**
 * A random orthogonal [dim, dim], row-major, uniform over all of them (Haar): Gram–Schmidt on Gaussian rows, each
 * row projected twice, which keeps float64 orthogonality at any dim (Giraud et al. 2005).
 */
export function randomOrthogonal(dim: number, random: Random): Float64Array {
  const q = Float64Array.from({ length: dim * dim }, () => random.normal())
  for (let r = 0; r < dim; r++) {
    const row = q.subarray(r * dim, (r + 1) * dim)
    for (let pass = 0; pass < 2; pass++)
      for (let k = 0; k < r; k++) {
        const earlier = q.subarray(k * dim, (k + 1) * dim)
        const overlap = dot(row, earlier)
        for (let c = 0; c < dim; c++) row[c] -= overlap * earlier[c]
      }
    const length = Math.sqrt(dot(row, row))
    for (let c = 0; c < dim; c++) row[c] /= length
  }
  return q
}

/** W = P L (U + diag(d)) by partial pivoting; row r of W is row permutation[r] of L (U + diag(d)). */
export interface LuFactors {
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly diagonal: Float64Array
  readonly permutation: Int32Array
}

/** Factors a non-singular [dim, dim], row-major. */
export function luFactors(matrix: Float64Array, dim: number): LuFactors {
  const a = matrix.slice()
  const rows = Int32Array.from({ length: dim }, (_, i) => i)
  for (let k = 0; k < dim; k++) {
    let pivot = k
    for (let r = k + 1; r < dim; r++) if (Math.abs(a[r * dim + k]) > Math.abs(a[pivot * dim + k])) pivot = r
    if (pivot !== k) {
      const kept = a.slice(k * dim, (k + 1) * dim)
      a.copyWithin(k * dim, pivot * dim, (pivot + 1) * dim)
      a.set(kept, pivot * dim)
      ;[rows[k], rows[pivot]] = [rows[pivot], rows[k]]
    }
    for (let r = k + 1; r < dim; r++) {
      const factor = a[r * dim + k] / a[k * dim + k]
      a[r * dim + k] = factor
      for (let c = k + 1; c < dim; c++) a[r * dim + c] -= factor * a[k * dim + c]
    }
  }
  const lower = new Float64Array(dim * dim)
  const upper = new Float64Array(dim * dim)
  const diagonal = new Float64Array(dim)
  const permutation = new Int32Array(dim)
  for (let r = 0; r < dim; r++) {
    diagonal[r] = a[r * dim + r]
    permutation[rows[r]] = r
    for (let c = 0; c < r; c++) lower[r * dim + c] = a[r * dim + c]
    for (let c = r + 1; c < dim; c++) upper[r * dim + c] = a[r * dim + c]
  }
  return { lower, upper, diagonal, permutation }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
