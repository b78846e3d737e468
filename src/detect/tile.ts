import type { EncodedBatch, EncodedLayout } from '../features/encoded.ts'

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

  /** `rows` copies of row `row`. */
  constructor(encoded: EncodedBatch, row: number, rows: number, layout: EncodedLayout) {
    const repeat = <T extends Float32Array | Int32Array>(from: T, to: T, width: number): T => {
      const one = from.subarray(row * width, (row + 1) * width)
      for (let i = 0; i < rows; i++) to.set(one, i * width)
      return to
    }
    this.rows = rows
    this.#width = { numeric: layout.numeric.length, codes: layout.discrete.length }
    const { numeric, codes } = this.#width
    const context = layout.context.length
    this.numeric = repeat(encoded.numeric, new Float32Array(rows * numeric), numeric)
    this.joint = this.numeric
    this.codes = repeat(encoded.codes, new Int32Array(rows * codes), codes)
    this.context = repeat(encoded.context, new Float32Array(rows * context), context)
    this.logDiscrete = new Float64Array(rows).fill(encoded.logDiscrete[row])
    this.logJacobian = new Float64Array(rows)
    this.logUnits = new Float64Array(rows)
  }

  setNumber(row: number, column: number, u: number): void {
    this.numeric[row * this.#width.numeric + column] = u
  }

  setCode(row: number, column: number, code: number, logDiscrete: number): void {
    this.codes[row * this.#width.codes + column] = code
    this.logDiscrete[row] = logDiscrete
  }
}
