import type { EncodedBatch, EncodedLayout } from '../../features/encoded.ts'

/** Copies of encoded rows, to be varied: what is asked of the exact view only, so without the joint numbers. */
export class Tile implements EncodedBatch {
  readonly rows: number
  readonly numeric: Float32Array
  readonly joint: Float32Array
  readonly codes: Int32Array
  readonly context: Float32Array
  readonly logDiscrete: Float64Array
  readonly logJacobian: Float64Array
  readonly logUnits: Float64Array
  readonly unscored: ReadonlyMap<number, readonly string[]> = new Map()
  readonly notes: ReadonlyMap<number, readonly string[]> = new Map()
  readonly #width: { readonly numeric: number; readonly codes: number }

  /** Row i is a copy of row `rows[i]`. */
  constructor(encoded: EncodedBatch, rows: Int32Array, layout: EncodedLayout) {
    const n = rows.length
    this.rows = n
    this.#width = { numeric: layout.numeric.length, codes: layout.discrete.length }
    const { numeric, codes } = this.#width
    const context = layout.context.length
    this.numeric = gathered(encoded.numeric, rows, numeric, new Float32Array(n * numeric))
    this.joint = this.numeric
    this.codes = gathered(encoded.codes, rows, codes, new Int32Array(n * codes))
    this.context = gathered(encoded.context, rows, context, new Float32Array(n * context))
    this.logDiscrete = new Float64Array(n)
    for (let i = 0; i < n; i++) this.logDiscrete[i] = encoded.logDiscrete[rows[i]]
    this.logJacobian = new Float64Array(n)
    this.logUnits = new Float64Array(n)
  }

  setNumber(row: number, column: number, u: number): void {
    this.numeric[row * this.#width.numeric + column] = u
  }

  setCode(row: number, column: number, code: number, logDiscrete: number): void {
    this.codes[row * this.#width.codes + column] = code
    this.logDiscrete[row] = logDiscrete
  }
}

function gathered<T extends Float32Array | Int32Array>(from: T, rows: Int32Array, width: number, to: T): T {
  for (let i = 0, at = 0; i < rows.length; i++)
    for (let k = 0, source = rows[i] * width; k < width; k++) to[at++] = from[source++]
  return to
}
