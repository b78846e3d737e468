import { SurprisalError } from '../../src/core/errors.ts'
import { parseTime } from '../../src/core/parse-time.ts'
import {
  type Column,
  columnNamed,
  isValid,
  type NumberValues,
  offsetOf,
  type RecordBatch,
} from '../../src/core/record.ts'

/** `column=value`: a row passes where the column equals the value, compared in the column's own type. */
export interface Condition {
  readonly column: string
  readonly value: string
}

/** Reads `column=value`; an empty value means "missing". USAGE where there is no `=`. */
export function parseCondition(text: string): Condition {
  const at = text.indexOf('=')
  if (at < 1) {
    throw new SurprisalError('USAGE', `--where ${text}: expected column=value, for example --where label=0`)
  }
  return { column: text.slice(0, at), value: text.slice(at + 1) }
}

/** The rows that meet every condition, ids unchanged. USAGE where a value is not of its column's type. */
export function filterBatch(batch: RecordBatch, conditions: readonly Condition[]): RecordBatch {
  if (conditions.length === 0) return batch
  const tests = conditions.map(({ column, value }) => testOf(columnNamed(batch, column), column, value))
  const kept = new Int32Array(batch.rows)
  let count = 0
  for (let row = 0; row < batch.rows; row++) {
    if (tests.every((test) => test(row))) kept[count++] = row
  }
  return count === batch.rows ? batch : selectRows(batch, kept.subarray(0, count))
}

function testOf(column: Column, name: string, value: string): (row: number) => boolean {
  if (column.kind === 'mixed') {
    const { values } = column
    return value === ''
      ? (row) => values[row] === null || values[row] === undefined || values[row] === ''
      : (row) => values[row] !== null && values[row] !== undefined && String(values[row]) === value
  }
  const { validity } = column
  if (value === '' && column.kind !== 'string') return (row) => !isValid(validity, row)
  if (column.kind === 'string') {
    const wanted = new Set<number>()
    column.dictionary.forEach((text, code) => {
      if (text === value) wanted.add(code)
    })
    return (row) => (isValid(validity, row) ? wanted.has(column.codes[row]) : value === '')
  }
  const { values } = column
  const number =
    column.kind === 'number'
      ? numberOf(name, value)
      : column.kind === 'boolean'
        ? booleanOf(name, value)
        : timeOf(name, value)
  // Float32 columns hold the nearest float32 of what is written.
  const target = values instanceof Float32Array ? Math.fround(number) : number
  return (row) => values[row] === target && isValid(validity, row)
}

function numberOf(name: string, value: string): number {
  const number = Number(value)
  if (Number.isNaN(number)) throw mistyped(name, value, 'numbers')
  return number
}

function booleanOf(name: string, value: string): number {
  if (value === 'true' || value === '1') return 1
  if (value === 'false' || value === '0') return 0
  throw mistyped(name, value, 'true or false')
}

function timeOf(name: string, value: string): number {
  const time = parseTime(value)
  if (Number.isNaN(time)) throw mistyped(name, value, 'timestamps (write ISO 8601)')
  return time
}

function mistyped(name: string, value: string, holds: string): SurprisalError {
  return new SurprisalError('USAGE', `--where ${name}=${value}: column "${name}" holds ${holds}`)
}

/** The given rows of a batch, in the given order. */
export function selectRows(batch: RecordBatch, rows: Int32Array): RecordBatch {
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) columns.set(name, selectColumn(column, rows))
  const offsets = Float64Array.from(rows, (row) => offsetOf(batch.origin, row))
  const { eventTime, entity } = batch
  return {
    rows: rows.length,
    columns,
    origin: { ...batch.origin, offsets },
    ...(eventTime && { eventTime: Float64Array.from(rows, (row) => eventTime[row]) }),
    ...(entity && { entity: Array.from(rows, (row) => entity[row]) }),
  }
}

function selectColumn(column: Column, rows: Int32Array): Column {
  if (column.kind === 'mixed') return { ...column, values: Array.from(rows, (row) => column.values[row]) }
  const validity = column.validity && selectBits(column.validity, rows)
  if (column.kind === 'string')
    return {
      ...column,
      codes: Int32Array.from(rows, (row) => column.codes[row]),
      ...(validity && { validity }),
    }
  const values = new (column.values.constructor as new (length: number) => NumberValues)(rows.length)
  for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i]]
  return { ...column, values, ...(validity && { validity }) } as Column
}

function selectBits(bitmap: Uint8Array, rows: Int32Array): Uint8Array {
  const bits = new Uint8Array((rows.length + 7) >> 3)
  for (let i = 0; i < rows.length; i++) if (isValid(bitmap, rows[i])) bits[i >> 3] |= 1 << (i & 7)
  return bits
}
