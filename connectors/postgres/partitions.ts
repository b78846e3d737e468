import type { Pool, PoolClient } from 'pg'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { timeOf } from '../../src/core/scores/intake.ts'

const DAY = 86_400_000
/** Days this near to the present get a partition of their own; scores from further off share one. */
const DAYS_BACK = 366
const DAYS_AHEAD = 2

/** The days of a batch that deserve a partition, as epoch milliseconds of their start. */
export function daysOf(scored: ScoredBatch, now: number = Date.now()): Set<number> {
  const days = new Set<number>()
  for (let row = 0; row < scored.batch.rows; row++) {
    const day = Math.floor(timeOf(scored, row) / DAY) * DAY
    if (day > now - DAYS_BACK * DAY && day < now + DAYS_AHEAD * DAY) days.add(day)
  }
  return days
}

/**
 * Makes the partition of a day where there is none, moving what already lay in the shared one. Appends wait
 * meanwhile, so that none slips a row of that day into the shared partition.
 */
export async function ensurePartition(client: PoolClient, day: number): Promise<void> {
  const name = partitionOf(day)
  const [from, to] = [day, day + DAY].map((time) => `'${new Date(time).toISOString()}'`)
  await client.query('BEGIN')
  try {
    await client.query('LOCK TABLE scores IN SHARE ROW EXCLUSIVE MODE')
    const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [name])
    if (!rows[0].there) {
      await client.query(`CREATE TABLE ${name} (LIKE scores INCLUDING ALL)`)
      await client.query(
        `WITH moved AS (DELETE FROM scores_rest WHERE time >= ${from} AND time < ${to} RETURNING *)
         INSERT INTO ${name} SELECT * FROM moved`,
      )
      await client.query(`ALTER TABLE scores ATTACH PARTITION ${name} FOR VALUES FROM (${from}) TO (${to})`)
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

/** Drops the partitions that hold nothing but a pipeline's scores from before a time. Returns how many scores went. */
export async function dropPartitions(pool: Pool, pipeline: string, before: number): Promise<number> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = to_regclass('scores')`,
  )
  let dropped = 0
  for (const { name } of rows) {
    const day = dayOf(name)
    if (day === undefined || day + DAY > before) continue
    const found = await pool.query(
      `SELECT count(*) AS scores, count(*) FILTER (WHERE pipeline <> $1) AS others FROM ${name}`,
      [pipeline],
    )
    if (Number(found.rows[0].others) > 0) continue
    await pool.query(`DROP TABLE ${name}`)
    dropped += Number(found.rows[0].scores)
  }
  return dropped
}

function partitionOf(day: number): string {
  return `scores_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '_')}`
}

function dayOf(partition: string): number | undefined {
  const match = /scores_(\d{4})_(\d{2})_(\d{2})$/.exec(partition)
  return match === null ? undefined : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
}
