import { type FileHandle, open } from 'node:fs/promises'
import { type RecordBatch as ArrowBatch, type Field, RecordBatchReader, type Schema } from 'apache-arrow'
import { isSurprisalError, messageOf, SurprisalError } from '../../src/core/errors.ts'
import type { Column } from '../../src/core/record.ts'
import { onFile } from '../files/file-error.ts'
import { type DeclaredColumn, type FileBatch, MAX_ROWS, type RecordFile } from '../files/record-file.ts'
import { columnOfData, isSupported, unsupported } from './column.ts'
import { registerCodecs } from './compression.ts'

const MAGIC = 'ARROW1'
/** The magic with its padding. */
const PREFIX_BYTES = 8

/**
 * An Arrow IPC file or stream, read batch by batch through a file handle, or an IPC stream that comes as chunks of
 * bytes (standard input). Memory is bounded by the largest record batch.
 * Throws FILE_FORMAT where it is truncated or corrupt, SCHEMA_MISMATCH on column types that cannot be scored.
 */
export class ArrowFile implements RecordFile {
  readonly path: string
  readonly #from: string | Uint8Array | AsyncIterable<Uint8Array>
  #handle: FileHandle | undefined
  #reader: RecordBatchReader | undefined
  #batches = 0

  /** `from` is where the bytes are, where that is not `path` (standard input, memory). */
  constructor(path: string, from: string | Uint8Array | AsyncIterable<Uint8Array> = path) {
    this.path = path
    this.#from = from
  }

  get progress(): number | undefined {
    const reader = this.#reader
    return reader?.isFile() ? this.#batches / Math.max(1, reader.numRecordBatches) : undefined
  }

  async columns(): Promise<readonly DeclaredColumn[]> {
    const { schema } = await this.#open()
    return schema.fields.map((field) => ({ name: field.name, type: String(field.type) }))
  }

  async *read(wanted: (column: string) => boolean, signal: AbortSignal): AsyncGenerator<FileBatch> {
    const reader = await this.#open()
    const { schema } = reader
    const fields = selectFields(schema, wanted)
    let first = 0
    for (let index = 0; ; index++) {
      const arrow = await this.#guard(() => batchAt(reader, index))
      if (arrow === undefined || signal.aborted) return
      this.#checkSchema(schema, arrow.schema)
      for (let from = 0; from < arrow.numRows; from += MAX_ROWS) {
        const rows = Math.min(MAX_ROWS, arrow.numRows - from)
        const columns = await this.#guard(() => convert(arrow, fields, from, rows))
        yield {
          batch: { rows, columns, origin: { prefix: this.path, offsets: { first } } },
          rejected: [],
        }
        if (signal.aborted) return
        first += rows
      }
      this.#batches = index + 1
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    this.#reader = undefined
    // The reader closes its handle at the end of the file by itself.
    await handle?.close().catch(() => {})
  }

  async #open(): Promise<RecordBatchReader> {
    if (this.#reader !== undefined) return this.#reader
    registerCodecs()
    const from = this.#from
    if (typeof from === 'string') {
      this.#handle = await onFile(this.path, 'read', () => open(from, 'r'))
      await this.#checkTail(this.#handle)
    }
    this.#reader = await this.#guard(async () => {
      const reader: RecordBatchReader =
        typeof from === 'string'
          ? await RecordBatchReader.from(this.#handle!)
          : from instanceof Uint8Array
            ? RecordBatchReader.from(from)
            : await RecordBatchReader.from(from)
      await reader.open()
      return reader
    })
    if (this.#reader.schema === undefined) throw this.#format('holds no Arrow schema')
    return this.#reader
  }

  /** An IPC file ends with its magic: a cut one is told apart before anything is scored. */
  async #checkTail(handle: FileHandle): Promise<void> {
    await onFile(this.path, 'read', async () => {
      const { size } = await handle.stat()
      const head = Buffer.alloc(PREFIX_BYTES)
      await handle.read(head, 0, PREFIX_BYTES, 0)
      if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) return
      const tail = Buffer.alloc(MAGIC.length)
      await handle.read(tail, 0, MAGIC.length, Math.max(0, size - MAGIC.length))
      if (size < PREFIX_BYTES * 3 || tail.toString('latin1') !== MAGIC)
        throw this.#format(`is a truncated Arrow file (${size} bytes, its end is missing); copy it again`)
    })
  }

  #checkSchema(expected: Schema, actual: Schema): void {
    if (expected === actual) return
    const text = (schema: Schema) => schema.fields.map((f) => `${f.name}: ${f.type}`).join(', ')
    if (text(expected) === text(actual)) return
    throw new SurprisalError(
      'SCHEMA_MISMATCH',
      `${this.path} changes its schema midway: it began with (${text(expected)}) and goes on with (${text(actual)})`,
    )
  }

  async #guard<T>(run: () => Promise<T> | T): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (isSurprisalError(error) && error.code !== 'FILE_FORMAT') throw error
      throw this.#format(`is a truncated or corrupt Arrow file (${messageOf(error)})`, error)
    }
  }

  #format(what: string, cause?: unknown): SurprisalError {
    return new SurprisalError('FILE_FORMAT', `${this.path} ${what}`, { cause })
  }
}

/**
 * The next record batch, undefined at the end. A file's are asked for by number: its iterator would read a block that
 * is no record batch over and over.
 */
async function batchAt(reader: RecordBatchReader, index: number): Promise<ArrowBatch | undefined> {
  if (!reader.isFile()) {
    const next = await reader.next()
    return next.done ? undefined : next.value
  }
  if (index >= reader.numRecordBatches) return undefined
  const batch = await reader.readRecordBatch(index)
  if (batch === null) throw new Error(`record batch ${index} is missing`)
  return batch
}

interface SelectedField {
  readonly field: Field
  readonly index: number
}

function selectFields(schema: Schema, wanted: (column: string) => boolean): SelectedField[] {
  return schema.fields.flatMap((field, index) => {
    if (!wanted(field.name)) return []
    if (!isSupported(field.type)) throw unsupported(field)
    return [{ field, index }]
  })
}

function convert(
  arrow: ArrowBatch,
  fields: readonly SelectedField[],
  from: number,
  rows: number,
): Map<string, Column> {
  return new Map(
    fields.map(({ field, index }) => [
      field.name,
      columnOfData(field, arrow.data.children[index], from, rows),
    ]),
  )
}
