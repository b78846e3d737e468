import type { Matrix } from '../../core/flow-spec.ts'
import type { Random } from '../../core/random.ts'

const ROUNDS = 10

/**
 * The cluster of every row by k-means: seeds drawn far apart (k-means++, Arthur and Vassilvitskii 2007), then ten of
 * Lloyd's rounds.
 */
export function clusters({ rows, columns: dim, data }: Matrix, count: number, rng: Random): Int32Array {
  const centres = new Float64Array(count * dim)
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY)
  const owner = new Int32Array(rows)
  const claim = (row: number, c: number): void => {
    let distance = 0
    for (let d = 0; d < dim; d++) distance += (data[row * dim + d] - centres[c * dim + d]) ** 2
    if (distance >= nearest[row]) return
    nearest[row] = distance
    owner[row] = c
  }
  for (let c = 0, seed = rng.integer(rows); c < count; c++) {
    centres.set(data.subarray(seed * dim, (seed + 1) * dim), c * dim)
    for (let row = 0; row < rows; row++) claim(row, c)
    let left = rng.uniform() * nearest.reduce((sum, d) => sum + d, 0)
    for (seed = 0; seed < rows - 1 && left >= nearest[seed]; seed++) left -= nearest[seed]
  }
  for (let round = 0; round < ROUNDS; round++) {
    const sizes = new Float64Array(count)
    centres.fill(0)
    for (let row = 0; row < rows; row++) {
      sizes[owner[row]]++
      for (let d = 0; d < dim; d++) centres[owner[row] * dim + d] += data[row * dim + d]
    }
    for (let i = 0; i < centres.length; i++) centres[i] /= Math.max(1, sizes[Math.floor(i / dim)])
    nearest.fill(Number.POSITIVE_INFINITY)
    for (let row = 0; row < rows; row++) for (let c = 0; c < count; c++) claim(row, c)
  }
  return owner
}
