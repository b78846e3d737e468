import { SurprisalError } from '../../src/core/errors.ts'
import { parseTime } from '../../src/core/parse-time.ts'
import type { Delivery, Source } from '../../src/core/ports.ts'
import { type Column, cell, columnNamed, type RecordBatch } from '../../src/core/record.ts'
import { sliceBatch } from '../../src/core/slice-batch.ts'
import { type DeclaredColumn, type FileBatch, MAX_ROWS, type RecordFile } from './record-file.ts'
import { checkSameSchema, checkUniqueColumns, missingColumn } from './schema.ts'
import { type Condition, filterBatch } from './where.ts'

export interface FileSourceOptions {
  /** All must hold. */
  readonly where?: readonly Condition[]
  /** The columns to read; SCHEMA_MISMATCH where a file declares its columns and lacks one. All by default. */
  readonly columns?: readonly string[]
  /** Columns that are read beside those where they are there. */
  readonly also?: readonly string[]
  readonly ignore?: readonly string[]
  /** The column that gives a record's event time; by default the first timestamp column. */
  readonly time?: string
  /** The column that names a record's entity. */
  readonly entity?: string
  /** Rows of one delivery at most. */
  readonly rows?: number
}

const NEVER = new AbortController().signal

/**
 * Files as one source, in the order given. A file has no committed position: ack does nothing, a nacked batch comes
 * again in the same iteration, and a restart reads from the start. All files are opened and compared before the
 * first record.
 */
export class FileSource implements Source {
  readonly name = 'files'
  readonly #files: readonly RecordFile[]
  readonly #options: FileSourceOptions
  #schema: readonly DeclaredColumn[] | undefined
  #read = 0

  constructor(files: readonly RecordFile[], options: FileSourceOptions = {}) {
    this.#files = files
    this.#options = options
  }

  /** The columns that the files declare, once open; undefined where their format declares none. */
  get schema(): readonly DeclaredColumn[] | undefined {
    return this.#schema
  }

  /** How much of all files is read, 0 … 1; undefined where a file cannot say. */
  get progress(): number | undefined {
    const current = this.#files[this.#read]
    const part = current === undefined ? 0 : current.progress
    return part === undefined ? undefined : (this.#read + part) / this.#files.length
  }

  async open(signal: AbortSignal): Promise<void> {
    let first: { readonly path: string; readonly columns: readonly DeclaredColumn[] } | undefined
    for (const file of this.#files) {
      if (signal.aborted) return
      const columns = await file.columns()
      if (columns === undefined) continue
      checkUniqueColumns(file.path, columns)
      for (const name of this.#required())
        if (!columns.some((column) => column.name === name)) throw missingColumn(file.path, name, columns)
      if (first === undefined) first = { path: file.path, columns }
      else checkSameSchema(first, { path: file.path, columns }, (name) => this.#wanted(name))
    }
    this.#schema = first?.columns
  }

  async *deliveries(signal: AbortSignal): AsyncGenerator<Delivery> {
    const returned: FileBatch[] = []
    const deliver = (item: FileBatch): Delivery => {
      let settled = false
      return {
        ...item,
        revoked: NEVER,
        async ack() {
          settled = true
        },
        async nack() {
          if (!settled) returned.push(item)
          settled = true
        },
      }
    }
    for (const file of this.#files) {
      for await (const item of file.read((name) => this.#wanted(name), signal)) {
        for (const part of this.#shape(item)) {
          if (signal.aborted) return
          yield deliver(part)
          while (returned.length > 0 && !signal.aborted) yield deliver(returned.shift()!)
        }
      }
      this.#read++
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file[Symbol.asyncDispose]()
  }

  #required(): string[] {
    const { columns = [], where = [], time, entity } = this.#options
    return [
      ...columns,
      ...where.map(({ column }) => column),
      ...[time, entity].filter((name) => name !== undefined),
    ]
  }

  #wanted(name: string): boolean {
    const { columns, also, ignore } = this.#options
    if (columns !== undefined) return this.#required().includes(name) || (also?.includes(name) ?? false)
    return !(ignore?.includes(name) ?? false) || this.#required().includes(name)
  }

  *#shape({ batch, rejected }: FileBatch): Generator<FileBatch> {
    const { where = [], time, entity, rows = MAX_ROWS } = this.#options
    const kept = batch.rows === 0 ? batch : filterBatch(this.#complete(batch), where)
    if (kept.rows === 0 && rejected.length === 0) return
    const timed = withEntity(withTime(kept, time), entity)
    yield { batch: sliceBatch(timed, 0, rows), rejected }
    for (let from = rows; from < timed.rows; from += rows)
      yield { batch: sliceBatch(timed, from, from + rows), rejected: [] }
  }

  /** Where a format declares no columns, one that a batch lacks is missing in all its rows. */
  #complete(batch: RecordBatch): RecordBatch {
    const absent = this.#required().filter((name) => !batch.columns.has(name))
    if (absent.length === 0) return batch
    const columns = new Map<string, Column>(batch.columns)
    for (const name of absent) columns.set(name, { kind: 'mixed', values: new Array(batch.rows).fill(null) })
    return { ...batch, columns }
  }
}

function withTime(batch: RecordBatch, time: string | undefined): RecordBatch {
  const column =
    time === undefined
      ? [...batch.columns.values()].find(({ kind }) => kind === 'timestamp')
      : columnNamed(batch, time)
  if (column === undefined) return batch
  const eventTime = new Float64Array(batch.rows)
  if (column.kind === 'timestamp' && column.validity === undefined) eventTime.set(column.values)
  else for (let row = 0; row < batch.rows; row++) eventTime[row] = millisecondsOf(cell(column, row))
  return { ...batch, eventTime }
}

/** A timestamp, text that names a time, or a number of epoch milliseconds; NaN for anything else. */
function millisecondsOf(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'number') return value
  return typeof value === 'string' ? parseTime(value) : Number.NaN
}

function withEntity(batch: RecordBatch, entity: string | undefined): RecordBatch {
  if (entity === undefined) return batch
  const column = columnNamed(batch, entity)
  const names = Array.from({ length: batch.rows }, (_, row) => {
    const value = cell(column, row)
    return value === null ? null : value instanceof Date ? value.toISOString() : String(value)
  })
  return { ...batch, entity: names }
}

export function noFiles(): SurprisalError {
  return new SurprisalError('USAGE', 'name at least one data file, or - for standard input')
}
