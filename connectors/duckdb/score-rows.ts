import {
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import { offsetOf } from '../../src/core/record.ts'
import { NORMAL, type ScoredBatch, UNSCORED } from '../../src/core/scored.ts'
import { severityAt } from '../../src/core/scored-record.ts'
import { eventTimeAt, timeOf } from '../../src/core/scores/intake.ts'

/** DuckDB's vector size: the most rows a chunk takes. */
const CHUNK = 2048
/** The columns of `incoming`: what differs from row to row. */
const EVERY = [DOUBLE, DOUBLE, DOUBLE, VARCHAR, DOUBLE, DOUBLE, DOUBLE, UTINYINT, UTINYINT]
/** The columns of `noted`: those, and what few rows have. */
const NOTED = [...EVERY, VARCHAR, VARCHAR, VARCHAR, VARCHAR]

type Column = (row: number) => DuckDBValue

/** Appends the chosen rows of a batch to `incoming` and, those with more to say, to `noted`. */
export async function appendRows(
  connection: DuckDBConnection,
  scored: ScoredBatch,
  rows: readonly number[],
): Promise<void> {
  const { entity, origin } = scored.batch
  const known = (row: number, value: DuckDBValue) => (scored.verdict[row] === UNSCORED ? null : value)
  const every: readonly Column[] = [
    (row) => offsetOf(origin, row),
    (row) => timeOf(scored, row),
    (row) => eventTimeAt(scored, row),
    (row) => entity?.[row] ?? null,
    (row) => known(row, scored.logProb[row]),
    (row) => known(row, scored.score[row]),
    (row) => known(row, scored.pValue[row]),
    (row) => known(row, scored.pMethod[row]),
    (row) => scored.verdict[row],
  ]
  const noted: readonly Column[] = [
    ...every,
    (row) => severityAt(scored, row),
    (row) => json(scored.reasons.get(row)),
    (row) => json(scored.attributions.get(row)),
    (row) => scored.suppressed?.get(row) ?? null,
  ]
  const saysMore = (row: number) =>
    scored.verdict[row] !== NORMAL ||
    scored.reasons.has(row) ||
    scored.attributions.has(row) ||
    scored.suppressed?.has(row) === true
  await appendTo(
    connection,
    'incoming',
    EVERY,
    every,
    rows.filter((row) => !saysMore(row)),
  )
  await appendTo(connection, 'noted', NOTED, noted, rows.filter(saysMore))
}

async function appendTo(
  connection: DuckDBConnection,
  table: string,
  types: readonly DuckDBType[],
  columns: readonly Column[],
  rows: readonly number[],
): Promise<void> {
  if (rows.length === 0) return
  const appender = await connection.createAppender(table, null, 'temp')
  try {
    for (let start = 0; start < rows.length; start += CHUNK) {
      const part = rows.slice(start, start + CHUNK)
      const chunk = DuckDBDataChunk.create(types, part.length)
      columns.forEach((valueAt, column) => {
        chunk.setColumnValues(column, part.map(valueAt))
      })
      appender.appendDataChunk(chunk)
    }
  } finally {
    appender.closeSync()
  }
}

function json(list: readonly unknown[] | undefined): string | null {
  return list === undefined || list.length === 0 ? null : JSON.stringify(list)
}
