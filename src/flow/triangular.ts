import { type Tensor2D, tf } from './engine.ts'

/**
 * Rows x with T x = y for a triangular T [dim, dim]: a strict triangle, and a diagonal given by its reciprocals
 * [dim] (ones where absent). By substitution: dim small products, stable at any size, differentiable.
 */
export function solveTriangular(
  triangle: 'lower' | 'upper',
  strict: Tensor2D,
  y: Tensor2D,
  reciprocals?: tf.Tensor,
): Tensor2D {
  const [rows, dim] = y.shape
  const columns = Array.from({ length: dim }, (_, i) => (triangle === 'lower' ? i : dim - 1 - i))
  let solved: Tensor2D | undefined
  for (const d of columns) {
    let column = tf.slice(y, [0, d], [rows, 1])
    if (solved !== undefined) {
      const start = triangle === 'lower' ? 0 : d + 1
      const row = tf.slice(strict, [d, start], [1, solved.shape[1]])
      column = tf.sub(column, tf.matMul(solved, row, false, true))
    }
    if (reciprocals !== undefined) column = tf.mul(column, tf.slice(reciprocals, [d], [1]))
    if (solved === undefined) solved = column
    else solved = tf.concat(triangle === 'lower' ? [solved, column] : [column, solved], 1)
  }
  return solved!
}
