import type { Matrix } from '../core/flow-spec.ts'
import type { Random } from '../core/random.ts'

/** Records as a flow sees them. `fill[row · dim + d] = 1` marks an entry that has no value: it is drawn from N(0, 1). */
export interface FlowRows {
  readonly x: Matrix
  /** One row per record, laid out as ContextSpec says. */
  readonly context?: Matrix
  readonly fill?: Uint8Array
}

/** What is added to dimension d: N(0, gaussian[d]²) against overfitting, U(−uniform[d], uniform[d]) against steps. */
export interface Noise {
  readonly gaussian: Float32Array
  readonly uniform: Float32Array
}

/** A batch buffer that is filled again and again. */
export interface RowBuffer {
  readonly x: Matrix
  readonly context?: Matrix
}

export function rowBuffer(like: FlowRows, rows: number): RowBuffer {
  const matrix = (columns: number): Matrix => ({ rows, columns, data: new Float32Array(rows * columns) })
  return { x: matrix(like.x.columns), ...(like.context && { context: matrix(like.context.columns) }) }
}

/** Copies one row into slot `slot` of the buffer with fresh noise, so that no two epochs see the same batch. */
export function augmentRow(
  rows: FlowRows,
  row: number,
  noise: Noise,
  rng: Random,
  buffer: RowBuffer,
  slot: number,
): void {
  const dim = rows.x.columns
  const from = row * dim
  const to = slot * dim
  const source = rows.x.data
  const target = buffer.x.data
  for (let d = 0; d < dim; d++) {
    if (rows.fill?.[from + d] === 1) {
      target[to + d] = rng.normal()
      continue
    }
    let value = source[from + d]
    if (noise.gaussian[d] > 0) value += noise.gaussian[d] * rng.normal()
    if (noise.uniform[d] > 0) value += noise.uniform[d] * (2 * rng.uniform() - 1)
    target[to + d] = value
  }
  if (rows.context && buffer.context) {
    const width = rows.context.columns
    buffer.context.data.set(rows.context.data.subarray(row * width, (row + 1) * width), slot * width)
  }
}

/** The held-out rows with noise drawn once, so that the held-out loss of two steps differs by the weights alone. */
export function augmentedCopy(
  rows: FlowRows,
  indices: ArrayLike<number>,
  noise: Noise,
  rng: Random,
): RowBuffer {
  const buffer = rowBuffer(rows, indices.length)
  for (let i = 0; i < indices.length; i++) augmentRow(rows, indices[i], noise, rng, buffer, i)
  return buffer
}
