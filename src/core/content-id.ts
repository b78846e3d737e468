import { createHash } from 'node:crypto'
import { cell, ownColumns, type RecordBatch } from './record.ts'

export const CONTENT = 'content-'

/**
 * Names a record by what it holds instead of where it came from: `content-` and 32 hexadecimal digits of a SHA-256 over
 * its fields in order of name. Numbers count as float32, so that a value is the same in JSON and in an Arrow file; what
 * is missing counts as not there.
 */
export function contentIdOf(batch: RecordBatch, row: number, fields?: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const name of [...(fields ?? ownColumns(batch).columns.keys())].sort()) {
    const column = batch.columns.get(name)
    const value = column === undefined ? null : cell(column, row)
    if (value !== null && value !== undefined) hash.update(`${JSON.stringify([name, plain(value)])}\n`)
  }
  return CONTENT + hash.digest('hex').slice(0, 32)
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.fround(value) : String(value)
  return typeof value === 'bigint' ? Math.fround(Number(value)) : value
}
