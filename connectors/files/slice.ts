import { type Column, offsetOf, type RecordBatch } from '../../src/core/record.ts'
import { sliceBits } from './bits.ts'

/** Rows [from, from + count) of a batch, fewer at its end; the batch itself where that is all of it. */
export function sliceBatch(batch: RecordBatch, from: number, count: number): RecordBatch {
  const end = Math.min(batch.rows, from + count)
  if (from === 0 && end === batch.rows) return batch
  const { origin, eventTime, entity } = batch
  return {
    rows: end - from,
    columns: new Map([...batch.columns].map(([name, column]) => [name, sliceColumn(column, from, end)])),
    origin: {
      ...origin,
      offsets:
        'first' in origin.offsets ? { first: offsetOf(origin, from) } : origin.offsets.slice(from, end),
    },
    ...(eventTime && { eventTime: eventTime.slice(from, end) }),
    ...(entity && { entity: entity.slice(from, end) }),
  }
}

function sliceColumn(column: Column, from: number, end: number): Column {
  if (column.kind === 'mixed') return { ...column, values: column.values.slice(from, end) }
  const nulls = column.validity && { validity: sliceBits(column.validity, from, end - from) }
  if (column.kind === 'string') return { ...column, codes: column.codes.slice(from, end), ...nulls }
  return { ...column, values: column.values.slice(from, end), ...nulls } as Column
}
