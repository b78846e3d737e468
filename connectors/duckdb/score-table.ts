import { BOOLEAN, DOUBLE, type DuckDBType, type DuckDBValue, INTEGER, VARCHAR } from '@duckdb/node-api'
import { type Column, cell } from '../../src/core/record.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { attributionText, keptName, type SCORE_COLUMNS } from '../files/score-columns.ts'

/** A column of the table in which scored records gather. */
export interface TableField {
  readonly name: string
  readonly type: DuckDBType
  /** What the file holds, where that is not the table's value. */
  readonly select?: string
}

/** Epoch milliseconds, kept as DOUBLE in the table, as a timestamp. */
const asTime = (name: string) => `epoch_ms("${name}"::BIGINT)`

interface ScoreField extends TableField {
  readonly name: (typeof SCORE_COLUMNS)[number]
  readonly read: (record: ScoredRecord) => string | number | boolean | null
}

/** In the order of SCORE_COLUMNS. */
export const SCORE_FIELDS: readonly ScoreField[] = [
  { name: 'id', type: VARCHAR, read: (r) => r.id },
  { name: 'log_prob', type: DOUBLE, read: (r) => r.log_prob },
  { name: 'score', type: DOUBLE, read: (r) => r.score },
  { name: 'p_value', type: DOUBLE, read: (r) => r.p_value },
  { name: 'p_method', type: VARCHAR, read: (r) => r.p_method },
  { name: 'is_anomaly', type: BOOLEAN, read: (r) => r.is_anomaly },
  { name: 'severity', type: VARCHAR, read: (r) => r.severity },
  { name: 'verdict', type: VARCHAR, read: (r) => r.verdict },
  {
    name: 'reasons',
    type: VARCHAR,
    read: (r) => JSON.stringify(r.reasons),
    select: `from_json(reasons, '["VARCHAR"]')`,
  },
  { name: 'attribution', type: VARCHAR, read: (r) => attributionText(r.attribution) },
  { name: 'suppressed', type: VARCHAR, read: (r) => r.suppressed },
  { name: 'threshold', type: DOUBLE, read: (r) => r.threshold },
  { name: 'model_version', type: INTEGER, read: (r) => r.model_version },
  {
    name: 'event_time',
    type: DOUBLE,
    read: (r) => (r.event_time === null ? null : Date.parse(r.event_time)),
    select: asTime('event_time'),
  },
  {
    name: 'scored_at',
    type: DOUBLE,
    read: (r) => Date.parse(r.scored_at),
    select: asTime('scored_at'),
  },
]

/** The table column of a kept input column, typed by what it is in the first batch; mixed values are text. */
export function keptField(input: string, column: Column | undefined): TableField {
  const name = keptName(input)
  switch (column?.kind) {
    case 'number':
      return { name, type: DOUBLE }
    case 'boolean':
      return { name, type: BOOLEAN }
    case 'timestamp':
      return { name, type: DOUBLE, select: asTime(name.replaceAll('"', '""')) }
    default:
      return { name, type: VARCHAR }
  }
}

/** A kept cell as a value of its table column; missing where it is of another type. */
export function keptValue(column: Column | undefined, row: number, type: DuckDBType): DuckDBValue {
  const value = column === undefined ? null : cell(column, row)
  if (value === null) return null
  if (type === BOOLEAN) return typeof value === 'boolean' ? value : null
  if (type === DOUBLE) {
    const number = value instanceof Date ? value.getTime() : value
    return typeof number === 'number' ? number : null
  }
  return typeof value === 'string'
    ? value
    : value instanceof Date
      ? value.toISOString()
      : JSON.stringify(value)
}
