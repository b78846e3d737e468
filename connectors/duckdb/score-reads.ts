import type { DuckDBConnection } from '@duckdb/node-api'
import type { Page, ScoreQuery, SeriesQuery } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { ScoreHistogram } from '../../src/core/scores/histogram.ts'
import { encodeCursor, rollupWidth, type ScorePosition } from '../../src/core/scores/query.ts'
import { type Observation, type Rollup, rollUp, type SeriesRange } from '../../src/core/scores/rollup.ts'
import { recordOfRow, type StoredRow } from '../../src/core/scores/stored-row.ts'
import { type SqlDialect, type SqlValue, selectionOf } from '../sql/score-conditions.ts'
import { SCORE_COLUMNS } from './score-schema.ts'

export const DUCKDB: SqlDialect = {
  bindTime: (milliseconds) => milliseconds,
  time: (parameter) => `make_timestamp_ms(${parameter}::BIGINT)`,
}

/** One page of scores; one row more than asked for tells whether there is another page. */
export async function readScores(
  connection: DuckDBConnection,
  query: ScoreQuery,
  after: ScorePosition | undefined,
): Promise<Page<ScoredRecord>> {
  const { where, orderBy, key, values } = selectionOf(query, after, DUCKDB)
  const keyColumn = query.order === 'score' ? key : `epoch_ms(${key})::DOUBLE`
  const rows = await rowsOf<StoredRow & { readonly page_key: number }>(
    connection,
    `SELECT ${SCORE_COLUMNS}, ${keyColumn} AS page_key FROM scores
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
  connection: DuckDBConnection,
  query: SeriesQuery,
  range: SeriesRange,
): Promise<Rollup[]> {
  const width = rollupWidth(query)
  if (width === undefined) {
    const { where, values } = selectionOf({ ...query, ...range, limit: 1 }, undefined, DUCKDB)
    const rows = await rowsOf<Observation>(
      connection,
      `SELECT epoch_ms(time)::DOUBLE AS time, score, verdict = 'anomaly' AS anomaly FROM scores WHERE ${where}`,
      values,
    )
    return rollUp(rows, range.step)
  }
  const rows = await rowsOf<Omit<Rollup, 'histogram'> & { bins: number[]; counts: number[] }>(
    connection,
    `SELECT start::DOUBLE AS start, records::DOUBLE AS records, anomalies::DOUBLE AS anomalies,
       unscored::DOUBLE AS unscored, score_max AS "scoreMax", bins, counts::DOUBLE[] AS counts
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

async function rowsOf<Row>(
  connection: DuckDBConnection,
  sql: string,
  values: readonly SqlValue[],
): Promise<Row[]> {
  const result = await connection.runAndReadAll(sql, [...values])
  return result.getRowObjectsJS() as unknown as Row[]
}
