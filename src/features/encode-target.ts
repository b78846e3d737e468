import type { RecordBatch } from '../core/record.ts'
import type { EncodedBatch, EncodedLayout } from './encoded.ts'

/** Rows that are encoded at a time, column by column, so that a block of output stays in the cache. */
export const BLOCK = 1024

/** The batch being written, with scratch space for one block of one column. */
export class EncodeTarget implements EncodedBatch {
  readonly rows: number
  readonly numeric: Float32Array
  readonly joint: Float32Array
  readonly codes: Int32Array
  readonly context: Float32Array
  readonly logDiscrete: Float64Array
  readonly logJacobian: Float64Array
  readonly logUnits: Float64Array
  readonly unscored = new Map<number, string[]>()
  readonly notes = new Map<number, string[]>()
  readonly widths: { readonly numeric: number; readonly codes: number; readonly context: number }

  /** Reuses the buffers of `into` where they are large enough. */
  constructor(rows: number, layout: EncodedLayout, twofold: boolean, into?: EncodedBatch) {
    const widths = {
      numeric: layout.numeric.length,
      codes: layout.discrete.length,
      context: layout.context.length,
    }
    this.rows = rows
    this.widths = widths
    this.numeric = floats(rows * widths.numeric, into?.numeric)
    this.joint = twofold
      ? floats(rows * widths.numeric, into?.joint === into?.numeric ? undefined : into?.joint)
      : this.numeric
    this.context = floats(rows * widths.context, into?.context)
    this.logDiscrete = doubles(rows, into?.logDiscrete).fill(0)
    this.logJacobian = doubles(rows, into?.logJacobian).fill(0)
    this.logUnits = doubles(rows, into?.logUnits).fill(0)
    const codes = rows * widths.codes
    const kept = into?.codes.buffer
    this.codes =
      kept !== undefined && kept.byteLength >= 4 * codes
        ? new Int32Array(kept, 0, codes)
        : new Int32Array(codes)
  }

  reject(row: number, reason: string): void {
    add(this.unscored, row, reason)
  }

  note(row: number, text: string): void {
    add(this.notes, row, text)
  }

  /** Leaves nothing but zeros in the rows that cannot be scored, and no notes about them. */
  blankUnscored(): void {
    const { numeric, codes, context } = this.widths
    for (const row of this.unscored.keys()) {
      this.numeric.fill(0, row * numeric, (row + 1) * numeric)
      this.joint.fill(0, row * numeric, (row + 1) * numeric)
      this.codes.fill(0, row * codes, (row + 1) * codes)
      this.context.fill(0, row * context, (row + 1) * context)
      this.logDiscrete[row] = 0
      this.logJacobian[row] = 0
      this.logUnits[row] = 0
      this.notes.delete(row)
    }
  }
}

/** One column's part of the encoding: bound to a batch, it writes rows [from, to) of the target. */
export interface ColumnEncoder {
  bind(batch: RecordBatch, target: EncodeTarget): (from: number, to: number) => void
}

function add(remarks: Map<number, string[]>, row: number, text: string): void {
  const known = remarks.get(row)
  if (known === undefined) remarks.set(row, [text])
  else known.push(text)
}

function floats(length: number, into?: Float32Array): Float32Array {
  const kept = into?.buffer
  return kept !== undefined && kept.byteLength >= 4 * length
    ? new Float32Array(kept, 0, length)
    : new Float32Array(length)
}

function doubles(length: number, into?: Float64Array): Float64Array {
  const kept = into?.buffer
  return kept !== undefined && kept.byteLength >= 8 * length
    ? new Float64Array(kept, 0, length)
    : new Float64Array(length)
}
