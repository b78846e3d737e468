import type { ScoreQuery } from '../../src/core/ports.ts'
import { type ScorePosition, splitId, UNSCORED_KEY } from '../../src/core/scores/query.ts'

export type SqlValue = string | number | null
/** In what databases differ: how times go in and come out, and the columns of a stored score. */
export interface SqlDialect {
  /** Epoch milliseconds as the value to bind. */
  bindTime(milliseconds: number): SqlValue
  /** The parameter as an expression of the time column's type. */
  time(parameter: string): string
  /** A time column as epoch milliseconds. */
  milliseconds(column: string): string
  /** The select list of a stored row (src/core/scores/stored-row.ts). */
  readonly scoreColumns: string
  /** The table to look for the scores of a query in. */
  table(query: ScoreQuery): string
}

export interface ScoreSelection {
  readonly table: string
  /** A boolean expression over that table with parameters $1, $2, …; every value is bound, none is spliced. */
  readonly where: string
  /** What pages are ordered by first: the time column, or a score. */
  readonly key: string
  readonly orderBy: string
  readonly values: readonly SqlValue[]
}

/** What a score query asks of the scores table, in the order of its pages: downwards in (key, prefix, offset). */
export function selectionOf(
  query: ScoreQuery,
  after: ScorePosition | undefined,
  dialect: SqlDialect,
): ScoreSelection {
  const values: SqlValue[] = []
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const anyOf = (column: string, wanted: readonly string[]): string =>
    wanted.length === 0 ? 'FALSE' : `${column} IN (${wanted.map(bind).join(', ')})`
  const key = query.order === 'score' ? `coalesce(score, ${UNSCORED_KEY})` : 'time'
  const time = (milliseconds: number): string => dialect.time(bind(dialect.bindTime(Math.ceil(milliseconds))))
  const keyOf = (value: number): string =>
    query.order === 'score' ? `${bind(value)}::DOUBLE PRECISION` : time(value)

  const conditions = [`pipeline = ${bind(query.pipeline)}`]
  conditions.push(query.runId == null ? 'run_id IS NULL' : `run_id = ${bind(query.runId)}`)
  if (query.from !== undefined) conditions.push(`time >= ${time(query.from)}`)
  if (query.to !== undefined) conditions.push(`time < ${time(query.to)}`)
  if (query.entity !== undefined) conditions.push(`entity = ${bind(query.entity)}`)
  if (query.verdicts !== undefined) conditions.push(anyOf('verdict', query.verdicts))
  if (query.severities !== undefined) conditions.push(anyOf('severity', query.severities))
  if (query.suppressed !== undefined)
    conditions.push(`suppressed IS ${query.suppressed ? 'NOT NULL' : 'NULL'}`)
  if (query.id !== undefined) {
    const id = splitId(query.id)
    conditions.push(
      id === undefined ? 'FALSE' : `"offset" = ${bind(id.offset)} AND prefix = ${bind(id.prefix)}`,
    )
  }
  if (after !== undefined) {
    const place = [keyOf(after.key), bind(after.prefix), bind(after.offset)]
    conditions.push(`${key} <= ${place[0]}`, `(${key}, prefix, "offset") < (${place.join(', ')})`)
  }
  return {
    table: dialect.table(query),
    where: conditions.join(' AND '),
    key,
    orderBy: `${key} DESC, prefix DESC, "offset" DESC`,
    values,
  }
}
