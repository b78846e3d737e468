import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { isSurprisalError, SurprisalError } from '../../src/core/errors.ts'
import type { RejectedRecord } from '../../src/core/ports.ts'
import { type DeclaredColumn, type FileBatch, MAX_ROWS, type RecordFile } from '../files/record-file.ts'
import { joinChunks, type SelectedColumn, selectParsed, selectTyped } from './columns.ts'
import { sniffCsv } from './csv.ts'
import { type Database, duckdbError, identifier, literal, openDatabase, plainPath } from './database.ts'

/** A table function over one file, and how each of its columns is read. */
interface Plan {
  readonly sql: string
  readonly columns: readonly DeclaredColumn[]
  select(column: DeclaredColumn): SelectedColumn
}

/**
 * A Parquet or CSV file, read by DuckDB chunk by chunk in file order with bounded memory. A CSV cell that is not of
 * its column's type makes the column `mixed` in that batch; a CSV line that cannot be cut into cells is a rejected
 * record, delivered after the others.
 */
export class DuckdbFile implements RecordFile {
  readonly path: string
  readonly #format: 'parquet' | 'csv'
  readonly #at: string
  #database: Database | undefined
  #plan: Plan | undefined

  /** `at` is where the bytes lie, where that is not `path` (standard input). */
  constructor(path: string, format: 'parquet' | 'csv', at: string = path) {
    this.path = path
    this.#at = at
    this.#format = format
  }

  async columns(): Promise<readonly DeclaredColumn[]> {
    return (await this.#open()).plan.columns
  }

  async *read(wanted: (column: string) => boolean, signal: AbortSignal): AsyncGenerator<FileBatch> {
    const { connection, plan } = await this.#open()
    const selected = plan.columns.filter(({ name }) => wanted(name)).map((column) => plan.select(column))
    const list = selected.flatMap(({ sql, badCell }) => (badCell === undefined ? [sql] : [sql, badCell]))
    // A query needs a column; the rows count even where none is wanted.
    const result = await this.#guard(() =>
      connection.stream(`SELECT ${list.length === 0 ? '1' : list.join(', ')} FROM ${plan.sql}`),
    )
    let first = 0
    let pending: DuckDBDataChunk[] = []
    let rows = 0
    for (;;) {
      const chunk = await this.#guard(() => result.fetchChunk())
      if (signal.aborted) return
      const ended = chunk === null || chunk.rowCount === 0
      if (rows > 0 && (ended || rows + chunk.rowCount > MAX_ROWS)) {
        const columns = joinChunks(pending, selected)
        yield { batch: { rows, columns, origin: { prefix: this.path, offsets: { first } } }, rejected: [] }
        first += rows
        pending = []
        rows = 0
      }
      if (ended) break
      pending.push(chunk)
      rows += chunk.rowCount
    }
    if (this.#format === 'csv') yield* this.#rejects(connection, selected)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database?.close()
    this.#database = undefined
    this.#plan = undefined
  }

  async #open(): Promise<{ connection: DuckDBConnection; plan: Plan }> {
    this.#database ??= await openDatabase()
    const { connection } = this.#database
    this.#plan ??= await this.#guard(() =>
      this.#format === 'csv' ? planCsv(this.path, this.#at) : planParquet(connection, this.path, this.#at),
    )
    return { connection, plan: this.#plan }
  }

  async *#rejects(
    connection: DuckDBConnection,
    selected: readonly SelectedColumn[],
  ): AsyncGenerator<FileBatch> {
    const reader = await this.#guard(() =>
      connection.runAndReadAll(
        'SELECT DISTINCT ON (line) line::DOUBLE, csv_line, error_message FROM reject_errors ORDER BY line',
      ),
    )
    const rejected = reader.getRows().map(([line, text, message]): RejectedRecord => {
      const reason = `line ${line}: ${message}`
      return {
        id: `${this.path}-line${line}`,
        reason,
        cause: new SurprisalError('RECORD_INVALID', `${this.path}, ${reason}`),
        offset: Number(line),
        timestamp: Number.NaN,
        key: null,
        value: text === null ? null : Buffer.from(String(text)),
        headers: {},
      }
    })
    if (rejected.length === 0) return
    const origin = { prefix: this.path, offsets: { first: 0 } }
    yield { batch: { rows: 0, columns: joinChunks([], selected), origin }, rejected }
  }

  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw isSurprisalError(error) ? error : duckdbError(error, this.path)
    }
  }
}

async function planParquet(connection: DuckDBConnection, path: string, at: string): Promise<Plan> {
  const sql = `read_parquet(${literal(plainPath(at))})`
  const schema = await connection.runAndReadAll('SELECT name, num_children::DOUBLE FROM parquet_schema($1)', [
    plainPath(at),
  ])
  checkUnique(path, topLevelNames(schema.getRows() as [string, number | null][]))
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${sql}`)
  const columns = described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
  return { sql, columns, select: ({ name, type }) => selectTyped(name, type) }
}

async function planCsv(path: string, at: string): Promise<Plan> {
  // In a database of its own: the broken lines that sniffing meets must not be counted beside those of the reading.
  const database = await openDatabase()
  const { sql, columns, dateFormat, timestampFormat } = await sniffCsv(database.connection, path, at).finally(
    () => database.close(),
  )
  return {
    sql,
    columns,
    select: ({ name, type }) => selectParsed(name, type, type === 'DATE' ? dateFormat : timestampFormat),
  }
}

/** The root's own children in a depth-first list of (name, number of children). */
function topLevelNames(nodes: readonly [string, number | null][]): string[] {
  const names: string[] = []
  let index = 1
  const skip = (): void => {
    const children = nodes[index++][1] ?? 0
    for (let i = 0; i < children; i++) skip()
  }
  while (index < nodes.length) {
    names.push(nodes[index][0])
    skip()
  }
  return names
}

function checkUnique(path: string, names: readonly string[]): void {
  const doubled = names.find((name, i) => names.indexOf(name) !== i)
  if (doubled === undefined) return
  throw new SurprisalError(
    'SCHEMA_MISMATCH',
    `${path} has two columns named ${identifier(doubled)}; names must be unique`,
  )
}
