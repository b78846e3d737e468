import type { Page, ScoreQuery, SeriesQuery } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { ScoreHistogram } from '../../src/core/scores/histogram.ts'
import { encodeCursor, rollupWidth, type ScorePosition } from '../../src/core/scores/query.ts'
import { type Observation, type Rollup, rollUp, type SeriesRange } from '../../src/core/scores/rollup.ts'
import { recordOfRow, type StoredRow } from '../../src/core/scores/stored-row.ts'
import { type SqlDialect, type SqlValue, selectionOf } from './score-conditions.ts'

/** Asks a database; rows come as objects. */
export type Ask = <Row>(sql: string, values: readonly SqlValue[]) => Promise<readonly Row[]>

/** One page of scores; one row more than asked for tells whether there is another page. */
export async function readScores(
  ask: Ask,
  dialect: SqlDialect,
  query: ScoreQuery,
  after: ScorePosition | undefined,
): Promise<Page<ScoredRecord>> {
  const { where, orderBy, key, values } = selectionOf(query, after, dialect)
  const pageKey = query.order === 'score' ? key : dialect.milliseconds(key)
  const rows = await ask<StoredRow & { readonly page_key: number }>(
    `SELECT ${dialect.scoreColumns}, ${pageKey} AS page_key FROM scores
     WHERE ${where} ORDER BY ${orderBy} LIMIT ${query.limit + 1}`,
    values,
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
export async function readRollups(
  ask: Ask,
  dialect: SqlDialect,
  query: SeriesQuery,
  range: SeriesRange,
): Promise<Rollup[]> {
  const width = rollupWidth(query)
  if (width === undefined) {
    const { where, values } = selectionOf({ ...query, ...range, limit: 1 }, undefined, dialect)
    const rows = await ask<Observation>(
      `SELECT ${dialect.milliseconds('time')} AS time, score, verdict = 'anomaly' AS anomaly FROM scores
       WHERE ${where}`,
      values,
    )
    return rollUp(rows, range.step)
  }
  const rows = await ask<Omit<Rollup, 'histogram'> & { bins: number[]; counts: number[] }>(
    `SELECT start::FLOAT8 AS start, records::FLOAT8 AS records, anomalies::FLOAT8 AS anomalies,
       unscored::FLOAT8 AS unscored, score_max AS "scoreMax", bins, counts::FLOAT8[] AS counts
     FROM rollups WHERE pipeline = $1 AND width = $2 AND start >= $3 AND start < $4`,
    [query.pipeline, width, range.from, range.to],
  )
  return rows.map(({ bins, counts, ...rollup }) => {
    const histogram = new ScoreHistogram()
    bins.forEach((bin, i) => {
      histogram.addBin(bin, counts[i])
    })
    return { ...rollup, histogram }
  })
}
