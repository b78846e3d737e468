import { sliceBits } from './bits.ts'
import { type Column, offsetOf, type RecordBatch } from './record.ts'

/**
 * Rows [from, to) of a batch, fewer at its end; the batch itself where that is all of it. Values are views on the same
 * buffers, bitmaps are copies where the cut is inside a byte.
 */
export function sliceBatch(batch: RecordBatch, from: number, to: number): RecordBatch {
  const end = Math.max(from, Math.min(batch.rows, to))
  if (from === 0 && end === batch.rows) return batch
  const { origin, eventTime, entity, beside } = batch
  return {
    ...batch,
    rows: end - from,
    columns: sliceColumns(batch.columns, from, end),
    origin: {
      ...origin,
      offsets:
        'first' in origin.offsets ? { first: offsetOf(origin, from) } : origin.offsets.subarray(from, end),
    },
    ...(eventTime && { eventTime: eventTime.subarray(from, end) }),
    ...(entity && { entity: entity.slice(from, end) }),
    ...(beside && {
      beside: new Map([...beside].map(([id, columns]) => [id, sliceColumns(columns, from, end)])),
    }),
  }
}

function sliceColumns(columns: RecordBatch['columns'], from: number, end: number): Map<string, Column> {
  return new Map([...columns].map(([name, column]) => [name, sliceColumn(column, from, end)]))
}

function sliceColumn(column: Column, from: number, end: number): Column {
  if (column.kind === 'mixed') return { ...column, values: column.values.slice(from, end) }
  const held = column.validity && { validity: bitsOf(column.validity, from, end) }
  if (column.kind === 'string') return { ...column, codes: column.codes.subarray(from, end), ...held }
  return { ...column, values: column.values.subarray(from, end), ...held } as Column
}

function bitsOf(validity: Uint8Array, from: number, end: number): Uint8Array {
  return (from & 7) === 0
    ? validity.subarray(from >> 3, (end + 7) >> 3)
    : sliceBits(validity, from, end - from)
}
