import pg from 'pg'
import { SurprisalError } from '../../src/core/errors.ts'
import type {
  DistributionQuery,
  LabelledRecord,
  LabelStore,
  Page,
  ScoreBin,
  ScoreQuery,
  ScoreStore,
  SeriesPoint,
  SeriesQuery,
} from '../../src/core/ports.ts'
import type { ScoredBatch, ScoredRecord } from '../../src/core/scored.ts'
import { intake, offsetSpan } from '../../src/core/scores/intake.ts'
import { checkDistributionQuery, checkScoreQuery, checkSeriesQuery } from '../../src/core/scores/query.ts'
import { distributionOf, seriesOf } from '../../src/core/scores/rollup.ts'
import { LABELS, type LabelRow, labelOfRow, labelValues, PUT_LABEL } from '../sql/labels.ts'
import { keepPolicyOf } from '../sql/options.ts'
import { RetentionClock } from '../sql/retention-clock.ts'
import { storable } from './copy-rows.ts'
import { migrate } from './migrations.ts'
import { type PostgresScoreStoreOptions, postgresScoreStoreOptions } from './options.ts'
import { daysOf, dropPartitions, ensurePartition } from './partitions.ts'
import { postgresError } from './postgres-error.ts'
import { readRollups, readScores } from './score-reads.ts'
import { COMPACT, FORGET_GAPS, lockStored, originOf, takeIn } from './score-writes.ts'

const APPENDS_PER_COMPACTION = 64
const CONNECT_TIMEOUT = 10_000

/**
 * Scores in PostgreSQL 14 or newer, shared by any number of processes. An append is one transaction that holds its
 * origin's stored offsets: what of a batch came before is left out row by row, whoever wrote it, without a unique
 * index over all partitions.
 */
export class PostgresScoreStore implements ScoreStore, LabelStore {
  readonly name = 'postgres'
  private readonly options: PostgresScoreStoreOptions
  private readonly retention: RetentionClock
  private pool: pg.Pool | undefined
  private readonly partitions = new Set<number>()
  private appends = 0

  constructor(options: Partial<PostgresScoreStoreOptions> & { readonly url: string }) {
    this.options = postgresScoreStoreOptions.parse(options)
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
        const taken = intake(scored, stored, keepPolicyOf(this.options))
        if (taken.fresh.length > 0) await takeIn(client, scored, taken)
      })
      if (++this.appends % APPENDS_PER_COMPACTION === 0) await pool.query(COMPACT)
      const before = this.retention.due(scored.pipeline)
      if (before !== undefined) await this.drop(pool, scored.pipeline, before)
    })
  }

  async query(query: ScoreQuery): Promise<Page<ScoredRecord>> {
    const after = checkScoreQuery(query)
    return this.use((pool) => readScores(pool, query, after))
  }

  async series(query: SeriesQuery): Promise<readonly SeriesPoint[]> {
    const range = checkSeriesQuery(query, keepPolicyOf(this.options))
    return this.use(async (pool) => seriesOf(await readRollups(pool, query, range), range))
  }

  async distribution(query: DistributionQuery): Promise<readonly ScoreBin[]> {
    const range = checkDistributionQuery(query)
    return this.use(async (pool) => distributionOf(await readRollups(pool, { ...query, ...range }, range)))
  }

  pipelines(): Promise<readonly string[]> {
    return this.use(async (pool) => {
      const { rows } = await pool.query<{ pipeline: string }>(
        'SELECT DISTINCT pipeline FROM stored_offsets ORDER BY 1',
      )
      return rows.map((row) => row.pipeline)
    })
  }

  retain(pipeline: string, before: number): Promise<number> {
    return this.use((pool) => this.drop(pool, pipeline, before))
  }

  put(label: LabelledRecord): Promise<void> {
    return this.use(async (pool) => {
      await pool.query(
        PUT_LABEL,
        labelValues(label).map((value) => (value === null ? null : storable(value))),
      )
    })
  }

  labels(pipeline: string): Promise<readonly LabelledRecord[]> {
    return this.use(async (pool) => {
      const { rows } = await pool.query<LabelRow>(LABELS, [pipeline])
      return rows.map(labelOfRow)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pool } = this
    this.pool = undefined
    await pool?.end()
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
