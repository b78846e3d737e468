import type { FieldSurprise, PMethod, ScoredRecord, Severity, Verdict } from '../scored.ts'

/** A score as databases keep it: times in epoch milliseconds, lists as JSON or null where empty. */
export interface StoredRow {
  readonly pipeline: string
  readonly run_id: string | null
  readonly prefix: string
  readonly offset: number
  readonly topic: string | null
  readonly partition: number | null
  readonly model_version: number
  readonly event_time: number | null
  readonly scored_at: number
  readonly entity: string | null
  readonly log_prob: number | null
  readonly score: number | null
  readonly p_value: number | null
  readonly p_method: PMethod | null
  readonly verdict: Verdict
  readonly severity: Severity | null
  readonly threshold: number
  readonly reasons: string | null
  readonly attribution: string | null
  readonly suppressed: string | null
}

export function recordOfRow(row: StoredRow): ScoredRecord {
  return {
    id: `${row.prefix}-${row.offset}`,
    pipeline: row.pipeline,
    model_version: row.model_version,
    event_time: row.event_time === null ? null : new Date(row.event_time).toISOString(),
    scored_at: new Date(row.scored_at).toISOString(),
    entity: row.entity,
    log_prob: row.log_prob,
    score: row.score,
    p_value: row.p_value,
    p_method: row.p_method,
    is_anomaly: row.verdict === 'anomaly',
    severity: row.severity,
    threshold: row.threshold,
    verdict: row.verdict,
    reasons: parsed<string>(row.reasons),
    attribution: parsed<FieldSurprise>(row.attribution),
    suppressed: row.suppressed,
    source: {
      ...(row.topic !== null && { topic: row.topic }),
      ...(row.partition !== null && { partition: row.partition }),
      offset: row.offset,
    },
    ...(row.run_id !== null && { run_id: row.run_id }),
  }
}

function parsed<T>(json: string | null): readonly T[] {
  return json === null ? [] : JSON.parse(json)
}
