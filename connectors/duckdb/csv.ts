import type { DuckDBConnection } from '@duckdb/node-api'
import { SurprisalError } from '../../src/core/errors.ts'
import { identifier, literal, plainPath } from './database.ts'

/** What DuckDB's sniffer says of a CSV file: how it is cut into cells, and each column's type. */
export interface CsvDialect {
  /** A table function call that reads every cell as text and keeps broken lines apart in reject_errors. */
  readonly sql: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly dateFormat: string | null
  readonly timestampFormat: string | null
}

interface Sniffed {
  readonly Delimiter: string
  readonly Quote: string
  readonly Escape: string
  readonly SkipRows: number
  readonly Columns: string
  readonly DateFormat: string | null
  readonly TimestampFormat: string | null
}

/** A text column most of whose cells are numbers is a number column with some bad cells. */
const MOSTLY = 0.9
const SAMPLE_ROWS = 20_480

/** Reads the dialect of a CSV file with a header row. SCHEMA_MISMATCH on doubled names, FILE_FORMAT without a header. */
export async function sniffCsv(connection: DuckDBConnection, path: string, at: string): Promise<CsvDialect> {
  const file = plainPath(at)
  const sniff = await connection.runAndReadAll(
    `SELECT Delimiter, Quote, "Escape", SkipRows::INTEGER AS SkipRows, to_json("Columns") AS "Columns",
      DateFormat, TimestampFormat FROM sniff_csv($1, header = true, ignore_errors = true, sample_size = ${SAMPLE_ROWS})`,
    [file],
  )
  const [sniffed] = sniff.getRowObjectsJS() as unknown as Sniffed[]
  const columns = JSON.parse(sniffed.Columns) as { name: string; type: string }[]
  const option = (text: string) => literal(text === '(empty)' ? '' : text)
  const dialect = `auto_detect = false, delim = ${option(sniffed.Delimiter)}, quote = ${option(sniffed.Quote)}, escape = ${option(sniffed.Escape)}, skip = ${sniffed.SkipRows}, store_rejects = true, null_padding = false`
  const call = (header: boolean, names: readonly string[]) =>
    `read_csv(${literal(file)}, ${dialect}, header = ${header}, columns = {${names.map((n) => `${literal(n)}: 'VARCHAR'`).join(', ')}})`
  await checkHeader(
    connection,
    path,
    call(
      false,
      columns.map((_, i) => `c${i}`),
    ),
  )
  const sql = call(
    true,
    columns.map(({ name }) => name),
  )
  return {
    sql,
    columns: await refineTypes(connection, sql, columns),
    dateFormat: sniffed.DateFormat,
    timestampFormat: sniffed.TimestampFormat,
  }
}

async function checkHeader(connection: DuckDBConnection, path: string, sql: string): Promise<void> {
  const reader = await connection.runAndReadAll(`SELECT * FROM ${sql} LIMIT 1`)
  const names = (reader.getRows()[0] ?? []).map((name) => String(name ?? ''))
  const doubled = names.find((name, i) => names.indexOf(name) !== i)
  if (doubled !== undefined) {
    throw new SurprisalError(
      'SCHEMA_MISMATCH',
      `${path} has two columns named "${doubled}"; names must be unique`,
    )
  }
  if (names.length > 0 && names.every((name) => name !== '' && Number.isFinite(Number(name)))) {
    throw new SurprisalError(
      'FILE_FORMAT',
      `${path} has no header row (its first line is ${names.slice(0, 3).join(', ')} …); add one with the column names`,
    )
  }
}

async function refineTypes(
  connection: DuckDBConnection,
  sql: string,
  columns: CsvDialect['columns'],
): Promise<CsvDialect['columns']> {
  const texts = columns.filter(({ type }) => type === 'VARCHAR')
  if (texts.length === 0) return columns
  const shares = texts.map(({ name }) => {
    const column = identifier(name)
    return `count(TRY_CAST(${column} AS DOUBLE)) / greatest(count(${column}), 1)::DOUBLE`
  })
  const reader = await connection.runAndReadAll(
    `SELECT ${shares.join(', ')} FROM (SELECT * FROM ${sql} LIMIT ${SAMPLE_ROWS})`,
  )
  const row = reader.getRows()[0]
  const numeric = new Set(texts.filter((_, i) => Number(row[i]) >= MOSTLY).map(({ name }) => name))
  return columns.map((column) => (numeric.has(column.name) ? { ...column, type: 'DOUBLE' } : column))
}
