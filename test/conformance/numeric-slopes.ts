import { expect } from 'vitest'
import type { Bijector } from '../../src/flow/bijector.ts'
import { type Tensor2D, tf } from '../../src/flow/engine.ts'

/** Central differences, one input column at a time; exact up to rounding for maps affine in what they move. */
export async function numericLogDets(
  bijector: Bijector,
  direction: 'inverseAndLogDet' | 'forwardAndLogDet',
  x: Tensor2D,
  context: Tensor2D | undefined,
): Promise<number[]> {
  const step = 2 ** -6
  const [rows, dim] = x.shape
  const columns = await Promise.all(
    Array.from({ length: dim }, async (_, d) => {
      const nudge = tf.tensor1d(Array.from({ length: dim }, (_, k) => (k === d ? step : 0)))
      const up = bijector[direction](tf.add(x, nudge) as Tensor2D, context).value
      const down = bijector[direction](tf.sub(x, nudge) as Tensor2D, context).value
      return tf.div(tf.sub(up, down), 2 * step).data()
    }),
  )
  return Array.from({ length: rows }, (_, r) =>
    logAbsDeterminant(Array.from({ length: dim }, (_, i) => columns.map((column) => column[r * dim + i]))),
  )
}

function logAbsDeterminant(matrix: number[][]): number {
  let sum = 0
  for (let k = 0; k < matrix.length; k++) {
    const pivot = matrix
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(matrix[best][k]) ? k + i : best), k)
    ;[matrix[k], matrix[pivot]] = [matrix[pivot], matrix[k]]
    sum += Math.log(Math.abs(matrix[k][k]))
    for (const row of matrix.slice(k + 1)) {
      const factor = row[k] / matrix[k][k]
      for (let c = k; c < matrix.length; c++) row[c] -= factor * matrix[k][c]
    }
  }
  return sum
}

/** Slopes to the left and to the right of every entry: between them lies the derivative, at a kink of a ReLU too. */
export async function oneSidedSlopes(
  variable: tf.Variable,
  loss: () => tf.Scalar,
): Promise<[number, number][]> {
  const step = 2 ** -8
  const start = Float32Array.from(await variable.data())
  const here = (await loss().data())[0]
  const at = async (i: number, delta: number): Promise<number> => {
    const moved = start.slice()
    moved[i] += delta
    variable.assign(tf.tensor(moved, variable.shape))
    return (await loss().data())[0]
  }
  const slopes: [number, number][] = []
  for (let i = 0; i < start.length; i++)
    slopes.push([(here - (await at(i, -step))) / step, ((await at(i, step)) - here) / step])
  variable.assign(tf.tensor(start, variable.shape))
  return slopes
}

export function closeToSlopes(
  actual: ArrayLike<number>,
  slopes: readonly [number, number][],
  tolerance: number,
): void {
  const nearest = slopes.map(([left, right], i) =>
    Math.min(Math.max(actual[i], Math.min(left, right)), Math.max(left, right)),
  )
  close(actual, nearest, tolerance)
}

export function close(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs(actual[i] - wanted[i])
    expect(error, `entry ${i}: ${actual[i]}, wanted ${wanted[i]}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(wanted[i])),
    )
  }
}
