import { SurprisalError } from './errors.ts'

/**
 * Records travel in columns. A validity bitmap follows Arrow: bit (i & 7) of byte (i >> 3) is 1 where row i
 * has a value; no bitmap means that every row has one.
 */
export type Column = NumberColumn | BooleanColumn | StringColumn | TimestampColumn | MixedColumn

/** A typed array of numbers; 64-bit integers are already converted to float64. */
export type NumberValues =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

export interface NumberColumn {
  readonly kind: 'number'
  readonly values: NumberValues
  readonly validity?: Uint8Array
  /** The declared type is an integer type (int8 … uint64). */
  readonly integer: boolean
}
/** 0 or 1 a row. */
export interface BooleanColumn {
  readonly kind: 'boolean'
  readonly values: Uint8Array
  readonly validity?: Uint8Array
}
/** Dictionary-encoded text: row i is `dictionary[codes[i]]`. */
export interface StringColumn {
  readonly kind: 'string'
  readonly codes: Int32Array
  readonly dictionary: readonly string[]
  readonly validity?: Uint8Array
}
/** Milliseconds since the epoch, UTC. */
export interface TimestampColumn {
  readonly kind: 'timestamp'
  readonly values: Float64Array
  readonly validity?: Uint8Array
}
/** Values whose types differ from row to row (JSON): the encoder judges each one. null and undefined are missing. */
export interface MixedColumn {
  readonly kind: 'mixed'
  readonly values: readonly unknown[]
}

/** Where the rows of a batch come from. Row i has the id `${prefix}-${offsets[i]}`. */
export interface Origin {
  /** Kafka: `topic-partition`. File: its path. */
  readonly prefix: string
  readonly offsets: Float64Array | { readonly first: number }
  readonly topic?: string
  readonly partition?: number
}

export interface RecordBatch {
  readonly rows: number
  readonly columns: ReadonlyMap<string, Column>
  readonly origin: Origin
  /** Milliseconds since the epoch; NaN where unknown. */
  readonly eventTime?: Float64Array
  /** Entity key of each row, where the pipeline names one. */
  readonly entity?: readonly (string | null)[]
  /** The look-back whose columns stand among `columns`: it does not compute them again. */
  readonly windows?: { readonly id: string; readonly columns: readonly string[] }
  /** What further look-backs along the same stream have computed, by their ids: columns that stand apart. */
  readonly beside?: ReadonlyMap<string, ReadonlyMap<string, Column>>
}

export function offsetOf(origin: Origin, row: number): number {
  return 'first' in origin.offsets ? origin.offsets.first + row : origin.offsets[row]
}

export function idOf(origin: Origin, row: number): string {
  return `${origin.prefix}-${offsetOf(origin, row)}`
}

export function isValid(validity: Uint8Array | undefined, row: number): boolean {
  return validity === undefined || ((validity[row >> 3] >> (row & 7)) & 1) === 1
}

/** The JavaScript value of one cell: number, boolean, string, Date (timestamp), or null where missing. */
export function cell(column: Column, row: number): unknown {
  if (column.kind === 'mixed') return column.values[row] ?? null
  if (!isValid(column.validity, row)) return null
  switch (column.kind) {
    case 'number':
      return column.values[row]
    case 'boolean':
      return column.values[row] !== 0
    case 'string':
      return column.dictionary[column.codes[row]] ?? null
    case 'timestamp':
      return new Date(column.values[row])
  }
}

/** The batch without the columns of a look-back. */
export function ownColumns(batch: RecordBatch): RecordBatch {
  const { windows, ...own } = batch
  if (windows === undefined) return batch
  const columns = new Map(batch.columns)
  for (const name of windows.columns) columns.delete(name)
  return { ...own, columns }
}

/** One row as an object with every column's value. */
export function rowOf(batch: RecordBatch, row: number): Record<string, unknown> {
  const record: Record<string, unknown> = Object.create(null)
  for (const [name, column] of batch.columns) record[name] = cell(column, row)
  return record
}

/** Columns from objects. A column is typed when all its values agree, else `mixed`. Key order follows first sight. */
export function batchOfRows(
  records: readonly Readonly<Record<string, unknown>>[],
  origin: Origin = { prefix: 'row', offsets: { first: 0 } },
  extra: Pick<RecordBatch, 'eventTime' | 'entity'> = {},
): RecordBatch {
  const names = new Set<string>()
  for (const record of records) for (const name of Object.keys(record)) names.add(name)
  const columns = new Map<string, Column>()
  for (const name of names)
    columns.set(name, columnOf(records.map((record) => (Object.hasOwn(record, name) ? record[name] : null))))
  return { rows: records.length, columns, origin, ...extra }
}

/** A typed column where all present values share one type, else a mixed one. */
export function columnOf(values: readonly unknown[]): Column {
  let type: string | undefined
  let missing = false
  for (const value of values) {
    if (value === null || value === undefined) {
      missing = true
      continue
    }
    const t = value instanceof Date ? 'date' : typeof value
    if (type !== undefined && type !== t) return { kind: 'mixed', values }
    type = t
  }
  const validity = missing ? bitmapOf(values) : undefined
  switch (type) {
    case 'number': {
      const numbers = new Float64Array(values.length)
      let integer = true
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        numbers[i] = typeof value === 'number' ? value : Number.NaN
        if (integer && !Number.isInteger(numbers[i]) && !Number.isNaN(numbers[i])) integer = false
      }
      return { kind: 'number', values: numbers, integer, ...(validity && { validity }) }
    }
    case 'boolean':
      return {
        kind: 'boolean',
        values: Uint8Array.from(values, (v) => (v === true ? 1 : 0)),
        ...(validity && { validity }),
      }
    case 'date':
      return {
        kind: 'timestamp',
        values: Float64Array.from(values, (v) => (v instanceof Date ? v.getTime() : Number.NaN)),
        ...(validity && { validity }),
      }
    case 'string': {
      const index = new Map<string, number>()
      const codes = new Int32Array(values.length)
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        if (typeof value !== 'string') continue
        const known = index.get(value)
        if (known === undefined) index.set(value, index.size)
        codes[i] = known ?? index.size - 1
      }
      return { kind: 'string', codes, dictionary: [...index.keys()], ...(validity && { validity }) }
    }
    default:
      return { kind: 'mixed', values }
  }
}

function bitmapOf(values: readonly unknown[]): Uint8Array {
  const bitmap = new Uint8Array((values.length + 7) >> 3)
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== null && values[i] !== undefined) bitmap[i >> 3] |= 1 << (i & 7)
  }
  return bitmap
}

/** The named column, or SCHEMA_MISMATCH with the columns that are there. */
export function columnNamed(batch: RecordBatch, name: string): Column {
  const column = batch.columns.get(name)
  if (column === undefined) {
    throw new SurprisalError(
      'SCHEMA_MISMATCH',
      `column "${name}" is missing; the data has: ${[...batch.columns.keys()].join(', ')}`,
    )
  }
  return column
}
