import type { Page, ScoreQuery, SeriesPoint, SeriesQuery } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { ScoreHistogram } from '../../src/core/scores/histogram.ts'
import { encodeCursor, type ScorePosition } from '../../src/core/scores/query.ts'
import type { Rollup, SeriesRange } from '../../src/core/scores/rollup.ts'
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
  const { table, where, orderBy, key, values } = selectionOf(query, after, dialect)
  const pageKey = query.order === 'score' ? key : dialect.milliseconds(key)
  const rows = await ask<StoredRow & { readonly page_key: number }>(
    `SELECT ${dialect.scoreColumns}, ${pageKey} AS page_key FROM ${table}
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

/** The points of a series whose step no roll-up adds up to: the database counts its rows, and quantiles are exact. */
export async function readPoints(
  ask: Ask,
  dialect: SqlDialect,
  query: SeriesQuery,
  range: SeriesRange,
): Promise<SeriesPoint[]> {
  const { table, where, values } = selectionOf({ ...query, ...range, limit: 1 }, undefined, dialect)
  const rows = await ask<
    Omit<SeriesPoint, 'score_p50' | 'score_p99'> & { readonly quantiles: number[] | null }
  >(
    `SELECT floor(${dialect.milliseconds('time')} / ${range.step}) * ${range.step} AS time, count(*)::FLOAT8 AS records,
       (count(*) FILTER (WHERE verdict = 'anomaly'))::FLOAT8 AS anomalies,
       (count(*) FILTER (WHERE score IS NULL))::FLOAT8 AS unscored,
       percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY score) AS quantiles, max(score) AS score_max
     FROM ${table} WHERE ${where} GROUP BY 1`,
    values,
  )
  return rows.map(({ quantiles, ...point }) => ({
    ...point,
    score_p50: quantiles?.[0] ?? null,
    score_p99: quantiles?.[1] ?? null,
  }))
}

/** The kept roll-ups of a width in a range. */
export async function readRollups(
  ask: Ask,
  pipeline: string,
  width: number,
  range: Pick<SeriesRange, 'from' | 'to'>,
): Promise<Rollup[]> {
  const rows = await ask<Omit<Rollup, 'histogram'> & { bins: number[]; counts: number[] }>(
    `SELECT start::FLOAT8 AS start, records::FLOAT8 AS records, anomalies::FLOAT8 AS anomalies,
       unscored::FLOAT8 AS unscored, score_max AS "scoreMax", bins, counts::FLOAT8[] AS counts
     FROM rollups WHERE pipeline = $1 AND width = $2 AND start >= $3 AND start < $4`,
    [pipeline, width, range.from, range.to],
  )
  return rows.map(({ bins, counts, ...rollup }) => {
    const histogram = new ScoreHistogram()
    bins.forEach((bin, i) => {
      histogram.addBin(bin, counts[i])
    })
    return { ...rollup, histogram }
  })
}
