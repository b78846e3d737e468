import { type Column, isValid, type NumberValues, offsetOf, type RecordBatch } from '../core/record.ts'

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

/** The chosen rows, in the given order, as a batch of its own. A row may be taken several times. */
export function takeRows(batch: RecordBatch, rows: ArrayLike<number>): RecordBatch {
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) columns.set(name, takeColumn(column, rows))
  const { eventTime, entity, origin } = batch
  return {
    rows: rows.length,
    columns,
    origin: { ...origin, offsets: Float64Array.from(rows, (row) => offsetOf(origin, row)) },
    ...(eventTime && { eventTime: Float64Array.from(rows, (row) => eventTime[row]) }),
    ...(entity && { entity: Array.from(rows, (row) => entity[row]) }),
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

function takeColumn(column: Column, rows: ArrayLike<number>): Column {
  if (column.kind === 'mixed') return { kind: 'mixed', values: Array.from(rows, (row) => column.values[row]) }
  const validity = takeValidity(column.validity, rows)
  const held = validity === undefined ? {} : { validity }
  switch (column.kind) {
    case 'number':
      return { ...column, values: taken(column.values, rows, emptyLike(column.values, rows.length)), ...held }
    case 'boolean':
      return { ...column, values: taken(column.values, rows, new Uint8Array(rows.length)), ...held }
    case 'timestamp':
      return { ...column, values: taken(column.values, rows, new Float64Array(rows.length)), ...held }
    case 'string':
      return { ...column, codes: taken(column.codes, rows, new Int32Array(rows.length)), ...held }
  }
}

function emptyLike(values: NumberValues, length: number): NumberValues {
  return new (values.constructor as new (length: number) => NumberValues)(length)
}

function taken<T extends { [i: number]: number }>(from: T, rows: ArrayLike<number>, to: T): T {
  for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]]
  return to
}

function takeValidity(validity: Uint8Array | undefined, rows: ArrayLike<number>): Uint8Array | undefined {
  if (validity === undefined) return undefined
  const bitmap = new Uint8Array((rows.length + 7) >> 3)
  for (let i = 0; i < rows.length; i++) if (isValid(validity, rows[i])) bitmap[i >> 3] |= 1 << (i & 7)
  return bitmap
}
