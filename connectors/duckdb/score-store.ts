import type { DuckDBConnection } from '@duckdb/node-api'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import type { Page, ScoreQuery } from '../../src/core/ports.ts'
import type { ScoredBatch, ScoredRecord } from '../../src/core/scored.ts'
import { intake, type KeepPolicy } from '../../src/core/scores/intake.ts'
import type { OffsetRange } from '../../src/core/scores/offset-ranges.ts'
import { checkScoreQuery, MAX_PAGE } from '../../src/core/scores/query.ts'
import { MINUTE } from '../../src/core/scores/rollup.ts'
import { keepPolicyOf } from '../sql/options.ts'
import { RetentionClock } from '../sql/retention-clock.ts'
import type { SqlValue } from '../sql/score-conditions.ts'
import { ScoreDatabase } from '../sql/score-database.ts'
import { DUCKDB } from './dialect.ts'
import { newestFirst } from './newest-first.ts'
import { type DuckdbScoreStoreOptions, duckdbScoreStoreOptions } from './options.ts'
import { writeParquet } from './score-export.ts'
import { openScoreFile, type ScoreFile } from './score-file.ts'
import { INCOMING } from './score-schema.ts'
import { compactRollups, dropScores, type OriginKey, readStored, takeIn } from './score-writes.ts'

/**
 * The log is worked into the file when it has grown to this: every time costs as much as appending some 200,000 scores,
 * and reading it again after a kill a second or two.
 */
const CHECKPOINT_THRESHOLD = '128MB'
/** Roll-up rows are added up after this many appends, which bounds what a series has to read. */
const APPENDS_PER_COMPACTION = 64

/**
 * Scores in one DuckDB file, owned by one process. An append is one transaction over the rows, the roll-ups and the
 * offsets stored: a killed process leaves all of a batch or none, and a batch that comes again is left out row by
 * row without a unique index.
 */
export class DuckdbScoreStore extends ScoreDatabase {
  readonly name = 'duckdb'
  protected readonly dialect = DUCKDB
  protected readonly keep: KeepPolicy
  private readonly options: DuckdbScoreStoreOptions
  private readonly retention: RetentionClock
  private file: ScoreFile | undefined
  private writer: DuckDBConnection | undefined
  private readonly stored = new Map<string, readonly OffsetRange[]>()
  private writes: Promise<unknown> = Promise.resolve()
  private appends = 0

  constructor(options: Partial<DuckdbScoreStoreOptions> & { readonly path: string }) {
    super()
    this.options = duckdbScoreStoreOptions.parse(options)
    this.keep = keepPolicyOf(this.options)
    this.retention = new RetentionClock(this.options.retention_days)
  }

  async open(): Promise<void> {
    if (this.file !== undefined) return
    const { path, threads, memory_limit } = this.options
    this.file = await openScoreFile(path, {
      threads: String(threads),
      memory_limit,
      checkpoint_threshold: CHECKPOINT_THRESHOLD,
      late_materialization_max_rows: String(MAX_PAGE + 1),
    })
    this.writer = await this.file.connect()
    await this.writer.run(INCOMING)
  }

  override async query(query: ScoreQuery): Promise<Page<ScoredRecord>> {
    const after = checkScoreQuery(query)
    if (query.order === 'score' || query.id !== undefined) return super.query(query)
    const end = Math.min(
      after?.key ?? query.to ?? Number.POSITIVE_INFINITY,
      await this.newest(query.pipeline),
    )
    return newestFirst(query, end, (narrowed) => super.query(narrowed))
  }

  /** The end of the newest minute that the roll-ups know; 0 for a pipeline that has none. */
  private async newest(pipeline: string): Promise<number> {
    const sql = 'SELECT max(start)::DOUBLE AS start FROM rollups WHERE pipeline = $1 AND width = $2'
    const [{ start }] = await this.ask<{ readonly start: number | null }>(sql, [pipeline, MINUTE])
    return start === null ? 0 : start + MINUTE
  }

  append(scored: ScoredBatch): Promise<void> {
    return this.write(async (connection) => {
      const origin: OriginKey = [scored.pipeline, scored.runId ?? null, scored.batch.origin.prefix]
      const key = JSON.stringify(origin)
      const stored = this.stored.get(key) ?? (await readStored(connection, origin))
      const taken = intake(scored, stored, this.keep)
      if (taken.fresh.length > 0) await takeIn(connection, scored, taken)
      this.stored.set(key, taken.ranges)
      if (++this.appends % APPENDS_PER_COMPACTION === 0) await compactRollups(connection)
      const before = this.retention.due(scored.pipeline)
      if (before !== undefined) await this.dropBefore(connection, scored.pipeline, before)
    })
  }

  async announce(url: string): Promise<void> {
    await this.file?.announce(url)
  }

  retain(pipeline: string, before: number): Promise<number> {
    return this.write((connection) => this.dropBefore(connection, pipeline, before))
  }

  /** Writes the scores that a query finds to a Parquet file, newest first; its limit and cursor are not used. */
  async exportParquet(path: string, query: Omit<ScoreQuery, 'limit' | 'cursor'>): Promise<number> {
    checkScoreQuery({ ...query, limit: 1 })
    return this.read((connection) => writeParquet(connection, path, query))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writes
    this.writer?.closeSync()
    await this.file?.close()
    this.writer = undefined
    this.file = undefined
  }

  protected ask<Row>(sql: string, values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.read(async (connection) => {
      const found = await connection.runAndReadAll(sql, [...values])
      return found.getRowObjectsJS() as unknown as Row[]
    })
  }

  protected change(sql: string, values: readonly SqlValue[]): Promise<void> {
    return this.write(async (connection) => {
      await connection.run(sql, [...values])
    })
  }

  private async dropBefore(connection: DuckDBConnection, pipeline: string, before: number): Promise<number> {
    this.stored.clear()
    return dropScores(connection, pipeline, before)
  }

  /** Writes run one after another on one connection, and a failed one leaves the next unharmed. */
  private write<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const done = this.writes.then(async () => {
      if (this.writer === undefined) throw notOpen()
      return work(this.writer)
    })
    this.writes = done.catch(() => {})
    return done.catch((error) => {
      this.stored.clear()
      throw storeError(error)
    })
  }

  /** Reads have a connection each: they neither wait for an append nor see half of one. */
  private async read<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    if (this.file === undefined) throw notOpen()
    const connection = await this.file.connect()
    try {
      return await work(connection)
    } catch (error) {
      throw storeError(error)
    } finally {
      connection.closeSync()
    }
  }
}

function notOpen(): SurprisalError {
  return new SurprisalError('STORE_FAILED', 'the score store is not open', { retryable: false })
}

function storeError(error: unknown): SurprisalError {
  if (error instanceof SurprisalError) return error
  const message = messageOf(error)
  if (/no space left/i.test(message))
    return new SurprisalError('DISK_FULL', `the disk of the score store is full: ${message}`, {
      cause: error,
    })
  return new SurprisalError('STORE_FAILED', `DuckDB failed: ${message}`, { cause: error })
}
