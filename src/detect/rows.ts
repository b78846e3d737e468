import type { Column, RecordBatch } from '../core/record.ts'

/** Rows [from, to) as views on the same buffers; `from` is a multiple of 8, for the bitmaps' sake. */
export function sliceBatch(batch: RecordBatch, from: number, to: number): RecordBatch {
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) columns.set(name, sliceColumn(column, from, to))
  const { offsets } = batch.origin
  return {
    ...batch,
    rows: to - from,
    columns,
    origin: {
      ...batch.origin,
      offsets: 'first' in offsets ? { first: offsets.first + from } : offsets.subarray(from, to),
    },
    ...(batch.eventTime && { eventTime: batch.eventTime.subarray(from, to) }),
    ...(batch.entity && { entity: batch.entity.slice(from, to) }),
  }
}

function sliceColumn(column: Column, from: number, to: number): Column {
  if (column.kind === 'mixed') return { kind: 'mixed', values: column.values.slice(from, to) }
  const validity = column.validity?.subarray(from >> 3, (to + 7) >> 3)
  const held = validity === undefined ? {} : { validity }
  switch (column.kind) {
    case 'number':
      return { ...column, values: column.values.subarray(from, to), ...held }
    case 'boolean':
      return { ...column, values: column.values.subarray(from, to), ...held }
    case 'timestamp':
      return { ...column, values: column.values.subarray(from, to), ...held }
    case 'string':
      return { ...column, codes: column.codes.subarray(from, to), ...held }
  }
}
