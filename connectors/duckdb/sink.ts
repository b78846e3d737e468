import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DuckDBAppender } from '@duckdb/node-api'
import { isSurprisalError, SurprisalError } from '../../src/core/errors.ts'
import type { Sink } from '../../src/core/ports.ts'
import type { Column } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { scoredRecord } from '../../src/core/scored-record.ts'
import { onFile } from '../files/file-error.ts'
import { stagingPath, syncFolder } from '../files/staged-file.ts'
import { type Database, duckdbError, identifier, literal, openDatabase } from './database.ts'
import { keptField, keptValue, SCORE_FIELDS, type TableField } from './score-table.ts'

/** Rows of a DuckDB vector. */
const CHUNK_ROWS = 2048

/**
 * Scored records as a Parquet file (ZSTD) that appears whole, at flush or dispose, or not at all. Rows gather in a
 * DuckDB table that spills beside the destination, so that memory stays bounded. A write after a flush begins the
 * next part. Throws FILE_NOT_FOUND, FILE_UNREADABLE, DISK_FULL.
 */
export class ParquetSink implements Sink {
  readonly name = 'parquet'
  readonly idempotent = false
  readonly durableAt = 'roll'
  readonly #part: (n: number) => string
  readonly #keep: readonly string[]
  #parts = 0
  #current: Part | undefined

  constructor(part: (n: number) => string, keep: readonly string[] = []) {
    this.#part = part
    this.#keep = keep
  }

  async open(): Promise<void> {
    await this.#begin()
  }

  async write(scored: ScoredBatch): Promise<void> {
    const part = await this.#begin()
    await this.#orDiscard(() => part.append(scored))
  }

  async flush(): Promise<void> {
    const part = this.#current
    if (part === undefined) return
    await this.#orDiscard(() => part.commit())
    this.#current = undefined
  }

  /** Forgets the part in progress: no file appears. */
  async discard(): Promise<void> {
    const part = this.#current
    this.#current = undefined
    await part?.discard()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }

  async #begin(): Promise<Part> {
    this.#current ??= await Part.create(this.#part(++this.#parts), this.#keep)
    return this.#current
  }

  async #orDiscard(run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      await this.discard()
      throw error
    }
  }
}

class Part {
  readonly #path: string
  readonly #staging: string
  readonly #keep: readonly string[]
  readonly #database: Database
  #table: { readonly appender: DuckDBAppender; readonly keptFields: readonly TableField[] } | undefined

  private constructor(path: string, staging: string, keep: readonly string[], database: Database) {
    this.#path = path
    this.#staging = staging
    this.#keep = keep
    this.#database = database
  }

  static async create(path: string, keep: readonly string[]): Promise<Part> {
    const staging = await onFile(path, 'write', async () => {
      const name = await stagingPath(path)
      if (name === path) throw new SurprisalError('USAGE', `${path}: Parquet needs a regular file`)
      await (await open(name, 'wx')).close()
      return name
    })
    return new Part(path, staging, keep, await openDatabase({ temp_directory: `${staging}.spill` }))
  }

  async append(scored: ScoredBatch): Promise<void> {
    const kept = this.#keep.map((name) => scored.batch.columns.get(name))
    const { appender, keptFields } = await this.#open(kept)
    const { DuckDBDataChunk } = await import('@duckdb/node-api')
    const types = [...SCORE_FIELDS, ...keptFields].map(({ type }) => type)
    for (let from = 0; from < scored.batch.rows; from += CHUNK_ROWS) {
      const rows = Array.from({ length: Math.min(CHUNK_ROWS, scored.batch.rows - from) }, (_, i) => from + i)
      const records = rows.map((row) => scoredRecord(scored, row))
      const chunk = DuckDBDataChunk.create(types, rows.length)
      SCORE_FIELDS.forEach(({ read }, c) => {
        chunk.setColumnValues(c, records.map(read))
      })
      keptFields.forEach(({ type }, c) => {
        const values = rows.map((row) => keptValue(kept[c], row, type))
        chunk.setColumnValues(SCORE_FIELDS.length + c, values)
      })
      appender.appendDataChunk(chunk)
    }
  }

  async commit(): Promise<void> {
    try {
      const { appender, keptFields } = await this.#open(this.#keep.map(() => undefined))
      appender.flushSync()
      const list = [...SCORE_FIELDS, ...keptFields].map(
        ({ name, select }) => `${select ?? identifier(name)} AS ${identifier(name)}`,
      )
      await this.#database.connection.run(
        `COPY (SELECT ${list.join(', ')} FROM scored) TO ${literal(this.#staging)} (FORMAT parquet, COMPRESSION zstd)`,
      )
    } catch (error) {
      throw isSurprisalError(error) ? error : duckdbError(error, this.#path)
    }
    await this.#close()
    await onFile(this.#path, 'write', async () => {
      const handle = await open(this.#staging, 'r+')
      await handle.sync().finally(() => handle.close())
      await rename(this.#staging, this.#path)
      await syncFolder(dirname(this.#path))
    })
  }

  async discard(): Promise<void> {
    await this.#close()
    await rm(this.#staging, { force: true })
  }

  async #close(): Promise<void> {
    this.#database.close()
    await rm(`${this.#staging}.spill`, { recursive: true, force: true })
  }

  async #open(kept: readonly (Column | undefined)[]) {
    if (this.#table !== undefined) return this.#table
    const keptFields = this.#keep.map((name, i) => keptField(name, kept[i]))
    const { connection } = this.#database
    const columns = [...SCORE_FIELDS, ...keptFields].map(({ name, type }) => `${identifier(name)} ${type}`)
    await connection.run(`CREATE TABLE scored (${columns.join(', ')})`)
    this.#table = { appender: await connection.createAppender('scored'), keptFields }
    return this.#table
  }
}
