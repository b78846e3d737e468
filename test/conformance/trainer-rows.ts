import type { Matrix } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'

/** Correlated, two-humped records. */
export function toy(dim: number, rows: number, seed: number): Matrix {
  const draw = random(seed)
  const data = new Float32Array(rows * dim)
  for (let r = 0; r < rows; r++) {
    const hump = draw.uniform() < 0.5 ? -2 : 2
    const common = draw.normal()
    for (let d = 0; d < dim; d++) data[r * dim + d] = 3 * d + hump + 0.5 * common + 0.3 * draw.normal()
  }
  return { rows, columns: dim, data }
}

/** Two values around a mean that only the context knows: a float plus one of three levels. */
export function told(rows: number, seed: number): { x: Matrix; context: Matrix } {
  const draw = random(seed)
  const x = new Float32Array(rows * 2)
  const context = new Float32Array(rows * 2)
  for (let r = 0; r < rows; r++) {
    const code = draw.integer(3)
    const float = draw.normal()
    context.set([float, code], r * 2)
    x.set([2 * float + 0.3 * draw.normal(), 4 * code + 0.3 * draw.normal()], r * 2)
  }
  return { x: { rows, columns: 2, data: x }, context: { rows, columns: 2, data: context } }
}
