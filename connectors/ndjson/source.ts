import { createReadStream } from 'node:fs'
import { messageOf } from '../../src/core/errors.ts'
import type { RejectedRecord } from '../../src/core/ports.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { onFile } from '../files/file-error.ts'
import type { DeclaredColumn, FileBatch, RecordFile } from '../files/record-file.ts'
import { type Line, lines } from './lines.ts'

const ROWS = 8192
/** Longer lines are rejected unread, so that a file without line ends cannot fill the memory. */
const MAX_LINE_BYTES = 16 * 1024 * 1024

/**
 * Newline-delimited JSON: one object a line, blank lines skipped, rows numbered by line from 0. A line that is no
 * JSON object is a rejected record and the rest is read on; a column whose values differ in type is `mixed`.
 */
export class NdjsonFile implements RecordFile {
  readonly path: string
  readonly #bytes: AsyncIterable<Uint8Array> | undefined

  constructor(path: string, bytes?: AsyncIterable<Uint8Array>) {
    this.path = path
    this.#bytes = bytes
  }

  async columns(): Promise<readonly DeclaredColumn[] | undefined> {
    return undefined
  }

  async *read(wanted: (column: string) => boolean, signal: AbortSignal): AsyncGenerator<FileBatch> {
    const iterator = lines(this.#bytes ?? createReadStream(this.path), MAX_LINE_BYTES)
    const pending: Line[] = []
    try {
      for (;;) {
        const next = await onFile(this.path, 'read', () => iterator.next())
        if (signal.aborted) return
        if (!next.done) pending.push(...next.value.filter((line) => line.bytes.length > 0))
        while (pending.length >= ROWS || (next.done && pending.length > 0)) {
          yield this.#batch(pending.splice(0, ROWS), wanted)
        }
        if (next.done) return
      }
    } finally {
      await iterator.return(undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #batch(pending: readonly Line[], wanted: (column: string) => boolean): FileBatch {
    const records: Record<string, unknown>[] = []
    const offsets: number[] = []
    const rejected: RejectedRecord[] = []
    for (const line of pending) {
      try {
        records.push(parse(line, wanted))
        offsets.push(line.number)
      } catch (error) {
        rejected.push({
          id: `${this.path}-${line.number}`,
          reason: `line ${line.number + 1}: ${messageOf(error)}`,
          cause: error,
          offset: line.number,
          timestamp: Number.NaN,
          key: null,
          value: line.tooLong ? null : line.bytes,
          headers: {},
        })
      }
    }
    const batch = batchOfRows(records, { prefix: this.path, offsets: Float64Array.from(offsets) })
    return { batch, rejected }
  }
}

function parse(line: Line, wanted: (column: string) => boolean): Record<string, unknown> {
  if (line.tooLong) throw new RangeError(`longer than ${MAX_LINE_BYTES} bytes`)
  const value: unknown = JSON.parse(line.bytes.toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('not a JSON object')
  const record: Record<string, unknown> = Object.create(null)
  for (const [name, field] of Object.entries(value)) if (wanted(name)) record[name] = field
  return record
}
