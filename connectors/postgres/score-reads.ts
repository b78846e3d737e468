import type { Pool } from 'pg'
import type { Page, ScoreQuery, SeriesQuery } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { ScoreHistogram } from '../../src/core/scores/histogram.ts'
import { encodeCursor, rollupWidth, type ScorePosition } from '../../src/core/scores/query.ts'
import { type Observation, type Rollup, rollUp, type SeriesRange } from '../../src/core/scores/rollup.ts'
import { recordOfRow, type StoredRow } from '../../src/core/scores/stored-row.ts'
import { type SqlDialect, selectionOf } from '../sql/score-conditions.ts'

const YEARS = [Date.parse('0001-01-01'), Date.UTC(9999, 11, 31)] as const
const POSTGRES: SqlDialect = {
  bindTime: (time) => new Date(Math.min(Math.max(time, YEARS[0]), YEARS[1])).toISOString(),
  time: (parameter) => `${parameter}::timestamptz`,
}
const milliseconds = (column: string) => `(extract(epoch FROM ${column}) * 1000)::double precision`

const SCORE_COLUMNS = `
  pipeline, run_id, prefix, "offset"::double precision AS "offset", topic, partition, model_version,
  event_time_ms::double precision AS event_time, ${milliseconds('scored_at')} AS scored_at, entity, log_prob, score,
  p_value, p_method, verdict, severity, threshold, reasons::text AS reasons, attribution::text AS attribution,
  suppressed`

/** One page of scores; one row more than asked for tells whether there is another page. */
export async function readScores(
  pool: Pool,
  query: ScoreQuery,
  after: ScorePosition | undefined,
): Promise<Page<ScoredRecord>> {
  const { where, orderBy, key, values } = selectionOf(query, after, POSTGRES)
  const { rows } = await pool.query<StoredRow & { readonly page_key: number }>(
    `SELECT ${SCORE_COLUMNS}, ${query.order === 'score' ? key : milliseconds(key)} AS page_key FROM scores
     WHERE ${where} ORDER BY ${orderBy} LIMIT ${query.limit + 1}`,
    [...values],
  )
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  return {
    items: page.map(recordOfRow),
    cursor:
      rows.length > page.length && last !== undefined
        ? encodeCursor(
            { key: last.page_key, prefix: last.prefix, offset: last.offset },
            query.order ?? 'time',
          )
        : null,
  }
}

/** The roll-ups a series is made of: kept ones where their width fits the step, else made from the rows. */
export async function readRollups(pool: Pool, query: SeriesQuery, range: SeriesRange): Promise<Rollup[]> {
  const width = rollupWidth(query)
  if (width === undefined) {
    const { where, values } = selectionOf({ ...query, ...range, limit: 1 }, undefined, POSTGRES)
    const { rows } = await pool.query<Observation>(
      `SELECT ${milliseconds('time')} AS time, score, verdict = 'anomaly' AS anomaly FROM scores WHERE ${where}`,
      [...values],
    )
    return rollUp(rows, range.step)
  }
  const { rows } = await pool.query<Record<string, string> & { bins: number[]; counts: string[] }>(
    `SELECT start, records, anomalies, unscored, score_max, bins, counts FROM rollups
     WHERE pipeline = $1 AND width = $2 AND start >= $3 AND start < $4`,
    [query.pipeline, width, range.from, range.to],
  )
  return rows.map((row) => {
    const histogram = new ScoreHistogram()
    row.bins.forEach((bin, i) => {
      histogram.addBin(bin, Number(row.counts[i]))
    })
    return {
      start: Number(row.start),
      records: Number(row.records),
      anomalies: Number(row.anomalies),
      unscored: Number(row.unscored),
      scoreMax: row.score_max === null ? null : Number(row.score_max),
      histogram,
    }
  })
}
