import type { ScoreQuery } from '../../src/core/ports.ts'
import type { SqlDialect } from '../sql/score-conditions.ts'

const milliseconds = (column: string) => `epoch_ms(${column})::DOUBLE`

export const DUCKDB: SqlDialect = {
  bindTime: (time) => time,
  time: (parameter) => `make_timestamp_ms(${parameter}::BIGINT)`,
  milliseconds,
  scoreColumns: `pipeline, run_id, prefix, "offset"::DOUBLE AS "offset", topic, partition, model_version,
    ${milliseconds('event_time')} AS event_time, ${milliseconds('scored_at')} AS scored_at, entity, log_prob, score,
    p_value, p_method, verdict, severity, threshold, reasons, attribution, suppressed`,
  table: (query) => (asksForAnomalies(query) ? 'anomalies' : 'scores'),
}

/** Only anomalies have a severity. */
export function asksForAnomalies({ verdicts, severities }: ScoreQuery): boolean {
  return severities !== undefined || verdicts?.every((verdict) => verdict === 'anomaly') === true
}
