import type { DuckDBDataChunk } from '@duckdb/node-api'
import { SurprisalError } from '../../src/core/errors.ts'
import { type Column, cell } from '../../src/core/record.ts'
import { identifier } from './database.ts'

/** What DuckDB computes for a column, so that a chunk holds nothing but float64, bytes and text. */
export interface SelectedColumn {
  readonly name: string
  readonly kind: 'number' | 'integer' | 'boolean' | 'timestamp' | 'string'
  /** DOUBLE (epoch milliseconds for timestamps), UTINYINT for booleans, VARCHAR for text. */
  readonly sql: string
  /** VARCHAR: the text of a cell that does not parse, NULL where it does (CSV). */
  readonly badCell?: string
}

const INTEGERS = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/
const TIMESTAMPS = /^(DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/
const TEXTS = /^(VARCHAR|UUID|ENUM\(.*\))$/s

/** How a typed column (Parquet) is read. SCHEMA_MISMATCH on a type that cannot be scored. */
export function selectTyped(name: string, type: string): SelectedColumn {
  const column = identifier(name)
  if (INTEGERS.test(type)) return { name, kind: 'integer', sql: `${column}::DOUBLE` }
  if (/^(FLOAT|DOUBLE|DECIMAL.*)$/.test(type)) return { name, kind: 'number', sql: `${column}::DOUBLE` }
  if (type === 'BOOLEAN') return { name, kind: 'boolean', sql: `${column}::UTINYINT` }
  if (TIMESTAMPS.test(type)) return { name, kind: 'timestamp', sql: `epoch_us(${column}) / 1000.0::DOUBLE` }
  if (/^(TIME|INTERVAL)$/.test(type)) return { name, kind: 'number', sql: `epoch(${column})::DOUBLE` }
  if (TEXTS.test(type)) return { name, kind: 'string', sql: `${column}::VARCHAR` }
  throw new SurprisalError(
    'SCHEMA_MISMATCH',
    `column "${name}" has the type ${type}, which cannot be scored; leave it out with --ignore ${name}`,
  )
}

/**
 * How a CSV column, read as text, is parsed: a cell that is not of the column's type keeps its text beside it.
 * `format` is the strptime format that the file writes its dates in, where it is not ISO 8601.
 */
export function selectParsed(name: string, type: string, format: string | null): SelectedColumn {
  const column = identifier(name)
  const parsed = (value: string, rest: Omit<SelectedColumn, 'name' | 'badCell'>): SelectedColumn => ({
    name,
    ...rest,
    badCell: `CASE WHEN ${value} IS NULL THEN ${column} END`,
  })
  if (INTEGERS.test(type) || /^(FLOAT|DOUBLE|DECIMAL.*)$/.test(type)) {
    const value = `TRY_CAST(${column} AS DOUBLE)`
    return parsed(value, { kind: INTEGERS.test(type) ? 'integer' : 'number', sql: value })
  }
  if (type === 'BOOLEAN') {
    const value = `TRY_CAST(${column} AS BOOLEAN)`
    return parsed(value, { kind: 'boolean', sql: `${value}::UTINYINT` })
  }
  if (TIMESTAMPS.test(type)) {
    const value =
      format === null
        ? `TRY_CAST(${column} AS TIMESTAMP)`
        : `try_strptime(${column}, '${format.replaceAll("'", "''")}')`
    return parsed(value, { kind: 'timestamp', sql: `epoch_us(${value}) / 1000.0::DOUBLE` })
  }
  return { name, kind: 'string', sql: column }
}

/** The parts of a node-api vector that hold its data: bulk access, where the public interface goes cell by cell. */
interface RawVector {
  readonly items: Float64Array | Uint8Array
  readonly validity: { readonly data: BigUint64Array | null }
  getItem(index: number): unknown
}

/** The columns of consecutive chunks, joined. */
export function joinChunks(
  chunks: readonly DuckDBDataChunk[],
  selected: readonly SelectedColumn[],
): Map<string, Column> {
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)
  const columns = new Map<string, Column>()
  let index = 0
  for (const column of selected) {
    const vectors = (at: number) => chunks.map((chunk) => chunk.getColumnVector(at) as unknown as RawVector)
    const typed = joinColumn(column, vectors(index++), chunks, rows)
    const bad = column.badCell === undefined ? undefined : badCells(vectors(index++), chunks)
    columns.set(column.name, bad === undefined || bad.size === 0 ? typed : withBadCells(typed, bad, rows))
  }
  return columns
}

function joinColumn(
  column: SelectedColumn,
  vectors: readonly RawVector[],
  chunks: readonly DuckDBDataChunk[],
  rows: number,
): Column {
  const validity = joinValidity(vectors, chunks, rows)
  const nulls = validity && { validity }
  if (column.kind === 'string') {
    const codes = new Map<string, number>()
    const values = new Int32Array(rows)
    let row = 0
    vectors.forEach((vector, c) => {
      for (let i = 0; i < chunks[c].rowCount; i++, row++) {
        const text = vector.getItem(i)
        if (typeof text !== 'string') continue
        const known = codes.get(text)
        values[row] = known ?? codes.size
        if (known === undefined) codes.set(text, codes.size)
      }
    })
    return { kind: 'string', codes: values, dictionary: [...codes.keys()], ...nulls }
  }
  const values = column.kind === 'boolean' ? new Uint8Array(rows) : new Float64Array(rows)
  let at = 0
  vectors.forEach((vector, c) => {
    values.set(vector.items.subarray(0, chunks[c].rowCount), at)
    at += chunks[c].rowCount
  })
  if (column.kind === 'boolean') return { kind: 'boolean', values: values as Uint8Array, ...nulls }
  if (column.kind === 'timestamp') return { kind: 'timestamp', values: values as Float64Array, ...nulls }
  return { kind: 'number', values, integer: column.kind === 'integer', ...nulls }
}

function joinValidity(
  vectors: readonly RawVector[],
  chunks: readonly DuckDBDataChunk[],
  rows: number,
): Uint8Array | undefined {
  if (vectors.every((vector) => vector.validity.data === null)) return undefined
  const bits = new Uint8Array((rows + 7) >> 3)
  let row = 0
  vectors.forEach(({ validity: { data } }, c) => {
    const bytes = data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    for (let i = 0; i < chunks[c].rowCount; i++, row++)
      if (bytes === null || (bytes[i >> 3] >> (i & 7)) & 1) bits[row >> 3] |= 1 << (row & 7)
  })
  return bits
}

function badCells(vectors: readonly RawVector[], chunks: readonly DuckDBDataChunk[]): Map<number, string> {
  const bad = new Map<number, string>()
  let first = 0
  vectors.forEach((vector, c) => {
    const anyText = vector.validity.data === null || vector.validity.data.some((word) => word !== 0n)
    for (let i = 0; anyText && i < chunks[c].rowCount; i++) {
      const text = vector.getItem(i)
      if (typeof text === 'string') bad.set(first + i, text)
    }
    first += chunks[c].rowCount
  })
  return bad
}

function withBadCells(column: Column, bad: ReadonlyMap<number, string>, rows: number): Column {
  return {
    kind: 'mixed',
    values: Array.from({ length: rows }, (_, row) => bad.get(row) ?? cell(column, row)),
  }
}
