import {
  DOUBLE,
  type DuckDBAppender,
  DuckDBDataChunk,
  type DuckDBValue,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import { offsetOf } from '../../src/core/record.ts'
import { type ScoredBatch, UNSCORED } from '../../src/core/scored.ts'
import { severityAt } from '../../src/core/scored-record.ts'
import { eventTimeAt, timeOf } from '../../src/core/scores/intake.ts'

/** DuckDB's vector size: the most rows a chunk takes. */
const CHUNK = 2048
/** The columns of `incoming`: what differs from row to row. */
const TYPES = [
  DOUBLE,
  DOUBLE,
  DOUBLE,
  VARCHAR,
  DOUBLE,
  DOUBLE,
  DOUBLE,
  UTINYINT,
  UTINYINT,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
]

/** Appends the chosen rows of a batch to `incoming`, a chunk at a time. */
export function appendRows(appender: DuckDBAppender, scored: ScoredBatch, rows: readonly number[]): void {
  const { entity, origin } = scored.batch
  const known = (row: number, value: DuckDBValue) => (scored.verdict[row] === UNSCORED ? null : value)
  const columns: ((row: number) => DuckDBValue)[] = [
    (row) => offsetOf(origin, row),
    (row) => timeOf(scored, row),
    (row) => eventTimeAt(scored, row),
    (row) => entity?.[row] ?? null,
    (row) => known(row, scored.logProb[row]),
    (row) => known(row, scored.score[row]),
    (row) => known(row, scored.pValue[row]),
    (row) => known(row, scored.pMethod[row]),
    (row) => scored.verdict[row],
    (row) => severityAt(scored, row),
    (row) => json(scored.reasons.get(row)),
    (row) => json(scored.attributions.get(row)),
    (row) => scored.suppressed?.get(row) ?? null,
  ]
  for (let start = 0; start < rows.length; start += CHUNK) {
    const part = rows.slice(start, start + CHUNK)
    const chunk = DuckDBDataChunk.create(TYPES, part.length)
    columns.forEach((valueAt, column) => {
      chunk.setColumnValues(column, part.map(valueAt))
    })
    appender.appendDataChunk(chunk)
  }
}

function json(list: readonly unknown[] | undefined): string | null {
  return list === undefined || list.length === 0 ? null : JSON.stringify(list)
}
