import pg from 'pg'
import { SurprisalError } from '../../src/core/errors.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { intake, type KeepPolicy, offsetSpan } from '../../src/core/scores/intake.ts'
import { keepPolicyOf } from '../sql/options.ts'
import { RetentionClock } from '../sql/retention-clock.ts'
import type { SqlValue } from '../sql/score-conditions.ts'
import { ScoreDatabase } from '../sql/score-database.ts'
import { storable } from './copy-rows.ts'
import { POSTGRES } from './dialect.ts'
import { migrate } from './migrations.ts'
import { type PostgresScoreStoreOptions, postgresScoreStoreOptions } from './options.ts'
import { daysOf, dropPartitions, ensurePartition } from './partitions.ts'
import { postgresError } from './postgres-error.ts'
import { COMPACT, FORGET_GAPS, lockStored, originOf, takeIn } from './score-writes.ts'

const APPENDS_PER_COMPACTION = 64
const CONNECT_TIMEOUT = 10_000

/**
 * Scores in PostgreSQL 14 or newer, shared by any number of processes. An append is one transaction that holds its
 * origin's stored offsets: what of a batch came before is left out row by row, whoever wrote it, without a unique
 * index over all partitions.
 */
export class PostgresScoreStore extends ScoreDatabase {
  readonly name = 'postgres'
  protected readonly dialect = POSTGRES
  protected readonly keep: KeepPolicy
  private readonly options: PostgresScoreStoreOptions
  private readonly retention: RetentionClock
  private pool: pg.Pool | undefined
  private readonly partitions = new Set<number>()
  private appends = 0

  constructor(options: Partial<PostgresScoreStoreOptions> & { readonly url: string }) {
    super()
    this.options = postgresScoreStoreOptions.parse(options)
    this.keep = keepPolicyOf(this.options)
    this.retention = new RetentionClock(this.options.retention_days)
  }

  async open(): Promise<void> {
    if (this.pool !== undefined) return
    const { url, schema, connections, statement_timeout_ms } = this.options
    const pool = new pg.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      application_name: 'surprisal',
      options: `-c search_path=${schema} -c timezone=UTC -c statement_timeout=${statement_timeout_ms}`,
    })
    // A connection that breaks while idle is replaced at the next use, which reports what is wrong.
    pool.on('error', () => {})
    try {
      await withClient(pool, (client) => migrate(client, schema))
    } catch (error) {
      await pool.end()
      throw postgresError(error)
    }
    this.pool = pool
  }

  append(scored: ScoredBatch): Promise<void> {
    return this.use(async (pool) => {
      const span = offsetSpan(scored)
      if (span === undefined) return
      await this.makeRoom(pool, scored)
      await inTransaction(pool, async (client) => {
        const stored = await lockStored(client, originOf(scored), span)
        const taken = intake(scored, stored, this.keep)
        if (taken.fresh.length > 0) await takeIn(client, scored, taken)
      })
      if (++this.appends % APPENDS_PER_COMPACTION === 0) await pool.query(COMPACT)
      const before = this.retention.due(scored.pipeline)
      if (before !== undefined) await this.drop(pool, scored.pipeline, before)
    })
  }

  retain(pipeline: string, before: number): Promise<number> {
    return this.use((pool) => this.drop(pool, pipeline, before))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pool } = this
    this.pool = undefined
    await pool?.end()
  }

  protected ask<Row>(sql: string, values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.use(async (pool) => (await pool.query(sql, values.map(bindable))).rows)
  }

  protected change(sql: string, values: readonly SqlValue[]): Promise<void> {
    return this.use(async (pool) => {
      await pool.query(sql, values.map(bindable))
    })
  }

  private async makeRoom(pool: pg.Pool, scored: ScoredBatch): Promise<void> {
    for (const day of daysOf(scored)) {
      if (this.partitions.has(day)) continue
      await withClient(pool, (client) => ensurePartition(client, day))
      this.partitions.add(day)
    }
  }

  private async drop(pool: pg.Pool, pipeline: string, before: number): Promise<number> {
    this.partitions.clear()
    const dropped = await dropPartitions(pool, pipeline, before)
    const cut = new Date(Math.ceil(before)).toISOString()
    const deleted = await pool.query('DELETE FROM scores WHERE pipeline = $1 AND time < $2', [pipeline, cut])
    await pool.query(FORGET_GAPS, [pipeline, cut])
    await pool.query(COMPACT)
    return dropped + (deleted.rowCount ?? 0)
  }

  private async use<T>(work: (pool: pg.Pool) => Promise<T>): Promise<T> {
    if (this.pool === undefined)
      throw new SurprisalError('STORE_FAILED', 'the score store is not open', { retryable: false })
    try {
      return await work(this.pool)
    } catch (error) {
      throw postgresError(error)
    }
  }
}

/** What was stored was made storable too, so what is asked for finds it. */
function bindable(value: SqlValue): SqlValue {
  return typeof value === 'string' ? storable(value) : value
}

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    return await work(client)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    // A client on which something failed is not trusted with another transaction.
    client.release(failure)
  }
}

function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  return withClient(pool, async (client) => {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  })
}
