import type { DuckDBConnection } from '@duckdb/node-api'
import type { ScoredBatch } from '../../src/core/scored.ts'
import type { Intake } from '../../src/core/scores/intake.ts'
import { type OffsetRange, withRange } from '../../src/core/scores/offset-ranges.ts'
import { observationsOf, ROLLUP_WIDTHS, rollUp } from '../../src/core/scores/rollup.ts'
import { appendRows } from './score-rows.ts'
import { COMPACT, FORGET_GAPS, INCOMING, TAKE_IN } from './score-schema.ts'
import { inTransaction } from './transaction.ts'

/** Whose offsets: a pipeline, a run of it or null for live, and an origin's prefix. */
export type OriginKey = readonly [pipeline: string, runId: string | null, prefix: string]

const OF_ORIGIN = 'pipeline = $1 AND run_id IS NOT DISTINCT FROM $2 AND prefix = $3'

/** The offsets of an origin that are stored already. */
export async function readStored(connection: DuckDBConnection, key: OriginKey): Promise<OffsetRange[]> {
  const sql = `SELECT first::DOUBLE, next::DOUBLE FROM stored_offsets WHERE ${OF_ORIGIN} ORDER BY first`
  const found = await connection.runAndReadAll(sql, [...key])
  return found
    .getRowsJS()
    .reduce<OffsetRange[]>((ranges, [first, next]) => withRange(ranges, [Number(first), Number(next)]), [])
}

/** Rows, roll-ups and stored offsets of what is new in a batch: all of it or nothing. */
export async function takeIn(
  connection: DuckDBConnection,
  scored: ScoredBatch,
  { fresh, kept, range }: Intake,
): Promise<void> {
  const { origin } = scored.batch
  const runId = scored.runId ?? null
  await inTransaction(connection, async () => {
    if (kept.length > 0) {
      await appendRows(connection, scored, kept)
      const shared = [
        scored.pipeline,
        runId,
        origin.prefix,
        origin.topic ?? null,
        origin.partition ?? null,
        scored.modelVersion,
        scored.scoredAt,
        scored.threshold,
      ]
      for (const statement of TAKE_IN) await connection.run(statement, shared)
      // Made anew: rows deleted from a table in memory would keep their place.
      await connection.run(INCOMING)
    }
    if (runId === null) await addRollups(connection, scored, fresh)
    if (range === undefined) return
    const key = [scored.pipeline, runId, origin.prefix]
    await connection.run(`DELETE FROM stored_offsets WHERE ${OF_ORIGIN} AND first >= $4 AND next <= $5`, [
      ...key,
      ...range,
    ])
    await connection.run(
      'INSERT INTO stored_offsets VALUES ($1, $2, $3, $4, $5, make_timestamp_ms($6::BIGINT))',
      [...key, ...range, Date.now()],
    )
  })
}

async function addRollups(
  connection: DuckDBConnection,
  scored: ScoredBatch,
  rows: readonly number[],
): Promise<void> {
  const insert = await connection.prepare(
    'INSERT INTO rollups VALUES ($1, $2, $3, $4, $5, $6, $7, $8::JSON::INTEGER[], $9::JSON::BIGINT[])',
  )
  for (const width of ROLLUP_WIDTHS) {
    for (const rollup of rollUp(observationsOf(scored, rows), width)) {
      const { start, records, anomalies, unscored, scoreMax, histogram } = rollup
      const bins = histogram.bins()
      insert.bind([
        scored.pipeline,
        width,
        start,
        records,
        anomalies,
        unscored,
        scoreMax,
        JSON.stringify(bins.map(([bin]) => bin)),
        JSON.stringify(bins.map(([, count]) => count)),
      ])
      await insert.run()
    }
  }
}

/** Brings every roll-up bucket back to one row. */
export async function compactRollups(connection: DuckDBConnection): Promise<void> {
  await inTransaction(connection, async () => {
    for (const statement of COMPACT) await connection.run(statement)
  })
}

/**
 * Deletes a pipeline's scores from before a time, and closes the gaps between offsets stored before it: a record
 * that came for such a gap now would be dropped for its age. Returns how many scores went.
 */
export async function dropScores(
  connection: DuckDBConnection,
  pipeline: string,
  before: number,
): Promise<number> {
  let dropped = 0
  await inTransaction(connection, async () => {
    const old = [pipeline, Math.ceil(before)]
    for (const table of ['anomalies', 'scores']) {
      const sql = `DELETE FROM ${table} WHERE pipeline = $1 AND time < make_timestamp_ms($2::BIGINT)`
      dropped = (await connection.run(sql, old)).rowsChanged
    }
    await connection.run(FORGET_GAPS[0], old)
    for (const statement of FORGET_GAPS.slice(1)) await connection.run(statement)
  })
  await compactRollups(connection)
  await connection.run('CHECKPOINT')
  return dropped
}
