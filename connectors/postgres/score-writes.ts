import type { PoolClient } from 'pg'
import type { ScoredBatch } from '../../src/core/scored.ts'
import type { Intake } from '../../src/core/scores/intake.ts'
import type { OffsetRange } from '../../src/core/scores/offset-ranges.ts'
import { observationsOf, ROLLUP_WIDTHS, rollUp } from '../../src/core/scores/rollup.ts'
import { copyRows, storable } from './copy-rows.ts'

/** Whose offsets: a pipeline, a run of it or '' for live, and an origin's prefix. */
export type OriginKey = readonly [pipeline: string, runId: string, prefix: string]

export function originOf(scored: ScoredBatch): OriginKey {
  return [storable(scored.pipeline), storable(scored.runId ?? ''), storable(scored.batch.origin.prefix)]
}

const OF_ORIGIN = 'pipeline = $1 AND run_id = $2 AND prefix = $3'

/** The stored offsets of an origin around [first, last], held against every other writer until the commit. */
export async function lockStored(
  client: PoolClient,
  key: OriginKey,
  [first, next]: OffsetRange,
): Promise<OffsetRange[]> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [JSON.stringify(key)])
  const { rows } = await client.query<{ first: string; next: string }>(
    `SELECT first, next FROM stored_offsets WHERE ${OF_ORIGIN} AND next >= $4 AND first <= $5 ORDER BY first`,
    [...key, first, next],
  )
  return rows.map((row) => [Number(row.first), Number(row.next)])
}

/** Rows, roll-ups and stored offsets of what is new in a batch, in the transaction of the client. */
export async function takeIn(
  client: PoolClient,
  scored: ScoredBatch,
  { fresh, kept, range }: Intake,
): Promise<void> {
  if (kept.length > 0) await copyRows(client, scored, kept)
  if (scored.runId === undefined) await addRollups(client, scored, fresh)
  if (range === undefined) return
  const key = originOf(scored)
  await client.query(`DELETE FROM stored_offsets WHERE ${OF_ORIGIN} AND first >= $4 AND next <= $5`, [
    ...key,
    ...range,
  ])
  await client.query(
    'INSERT INTO stored_offsets (pipeline, run_id, prefix, first, next) VALUES ($1, $2, $3, $4, $5)',
    [...key, ...range],
  )
}

async function addRollups(client: PoolClient, scored: ScoredBatch, rows: readonly number[]): Promise<void> {
  for (const width of ROLLUP_WIDTHS) {
    for (const rollup of rollUp(observationsOf(scored, rows), width)) {
      const bins = rollup.histogram.bins()
      await client.query('INSERT INTO rollups VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false)', [
        storable(scored.pipeline),
        width,
        rollup.start,
        rollup.records,
        rollup.anomalies,
        rollup.unscored,
        rollup.scoreMax,
        bins.map(([bin]) => bin),
        bins.map(([, count]) => count),
      ])
    }
  }
}

/** Adds up the roll-up rows of every bucket that appends have touched; one process at a time does it. */
export const COMPACT = `
WITH touched AS (SELECT DISTINCT pipeline, width, start FROM rollups
    WHERE NOT settled AND pg_try_advisory_xact_lock(hashtextextended('compact rollups', 2))),
gone AS (DELETE FROM rollups AS r USING touched AS t
    WHERE r.pipeline = t.pipeline AND r.width = t.width AND r.start = t.start RETURNING r.*),
pairs AS (SELECT pipeline, width, start, p.bin, sum(p.n)::bigint AS n
    FROM gone, unnest(bins, counts) AS p (bin, n) GROUP BY 1, 2, 3, 4),
lists AS (SELECT pipeline, width, start, array_agg(bin ORDER BY bin) AS bins, array_agg(n ORDER BY bin) AS counts
    FROM pairs GROUP BY 1, 2, 3),
sums AS (SELECT pipeline, width, start, sum(records)::bigint AS records, sum(anomalies)::bigint AS anomalies,
    sum(unscored)::bigint AS unscored, max(score_max) AS score_max FROM gone GROUP BY 1, 2, 3)
INSERT INTO rollups (pipeline, width, start, records, anomalies, unscored, score_max, bins, counts, settled)
SELECT pipeline, width, start, records, anomalies, unscored, score_max,
  coalesce(bins, '{}'), coalesce(counts, '{}'), true
FROM sums LEFT JOIN lists USING (pipeline, width, start)`

/** Replaces ranges of stored offsets from before a time by their hull, origin by origin. */
export const FORGET_GAPS = `
WITH hulls AS (SELECT run_id, prefix, min(first) AS first, max(next) AS next, max(touched_at) AS touched_at
    FROM stored_offsets WHERE pipeline = $1 AND touched_at < $2 GROUP BY run_id, prefix HAVING count(*) > 1),
gone AS (DELETE FROM stored_offsets AS s USING hulls AS h
    WHERE s.pipeline = $1 AND s.run_id = h.run_id AND s.prefix = h.prefix AND s.first > h.first AND s.next <= h.next)
UPDATE stored_offsets AS s SET next = h.next FROM hulls AS h
WHERE s.pipeline = $1 AND s.run_id = h.run_id AND s.prefix = h.prefix AND s.first = h.first`
