import { type Column, isValid, offsetOf, type RecordBatch } from '../core/record.ts'

/** The batch with the named rows only, in that order. */
export function selectRows(batch: RecordBatch, rows: ArrayLike<number>): RecordBatch {
  const { origin, eventTime, entity, windows, beside } = batch
  return {
    rows: rows.length,
    columns: selectColumns(batch.columns, rows),
    origin: { ...origin, offsets: Float64Array.from(rows, (row) => offsetOf(origin, row)) },
    ...(eventTime && { eventTime: gather(eventTime, rows) }),
    ...(entity && { entity: Array.from(rows, (row) => entity[row]) }),
    ...(windows !== undefined && { windows }),
    ...(beside && {
      beside: new Map([...beside].map(([id, columns]) => [id, selectColumns(columns, rows)])),
    }),
  }
}

function selectColumns(columns: RecordBatch['columns'], rows: ArrayLike<number>): Map<string, Column> {
  return new Map([...columns].map(([name, column]) => [name, selectCells(column, rows)]))
}

function selectCells(column: Column, rows: ArrayLike<number>): Column {
  if (column.kind === 'mixed') return { kind: 'mixed', values: Array.from(rows, (row) => column.values[row]) }
  const { validity } = column
  const bits = validity && { validity: gatherBits(validity, rows) }
  switch (column.kind) {
    case 'string':
      return { ...column, codes: gather(column.codes, rows), ...bits }
    case 'number':
      return { ...column, values: gather(column.values, rows), ...bits }
    case 'timestamp':
      return { ...column, values: gather(column.values, rows), ...bits }
    case 'boolean':
      return { ...column, values: gather(column.values, rows), ...bits }
  }
}

type Gatherable = { readonly [i: number]: number; slice(from: number, to: number): Gatherable }

function gather<T extends Gatherable>(values: T, rows: ArrayLike<number>): T {
  const out = new (values.constructor as new (length: number) => { [i: number]: number } & T)(rows.length)
  const writable: { [i: number]: number } = out
  for (let i = 0; i < rows.length; i++) writable[i] = values[rows[i]]
  return out
}

function gatherBits(validity: Uint8Array, rows: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array((rows.length + 7) >> 3)
  for (let i = 0; i < rows.length; i++) if (isValid(validity, rows[i])) out[i >> 3] |= 1 << (i & 7)
  return out
}
