import type { SqlDialect } from '../sql/score-conditions.ts'

const YEARS = [Date.parse('0001-01-01'), Date.UTC(9999, 11, 31)] as const
const milliseconds = (column: string) => `(extract(epoch FROM ${column}) * 1000)::double precision`

export const POSTGRES: SqlDialect = {
  bindTime: (time) => new Date(Math.min(Math.max(time, YEARS[0]), YEARS[1])).toISOString(),
  time: (parameter) => `${parameter}::timestamptz`,
  milliseconds,
  scoreColumns: `pipeline, run_id, prefix, "offset"::double precision AS "offset", topic, partition, model_version,
    event_time_ms::double precision AS event_time, ${milliseconds('scored_at')} AS scored_at, entity, log_prob, score,
    p_value, p_method, verdict, severity, threshold, reasons::text AS reasons, attribution::text AS attribution,
    suppressed`,
  table: () => 'scores',
}
