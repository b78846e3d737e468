import {
  ANOMALY,
  type FieldSurprise,
  type ScoredBatch,
  SEVERITIES,
  severityOf,
} from '../../src/core/scored.ts'

/** The score columns of every file format, in this order, after the id and before the kept input columns. */
export const SCORE_COLUMNS = [
  'id',
  'log_prob',
  'score',
  'p_value',
  'p_method',
  'is_anomaly',
  'severity',
  'verdict',
  'reasons',
  'attribution',
  'suppressed',
  'threshold',
  'model_version',
  'event_time',
  'scored_at',
] as const

export const P_METHODS = ['rank', 'tail'] as const

/** What a kept input column is called in the output: its own name, or `input_<name>` where a score column has it. */
export function keptName(name: string): string {
  return (SCORE_COLUMNS as readonly string[]).includes(name) ? `input_${name}` : name
}

/** Index into SEVERITIES of a row, −1 where it is not flagged. */
export function severityCode(scored: ScoredBatch, row: number): number {
  if (scored.verdict[row] !== ANOMALY) return -1
  const severity = severityOf(scored.pValue[row], scored.threshold) ?? 'warning'
  return SEVERITIES.indexOf(severity)
}

/** An attribution as JSON text; null where there is none. */
export function attributionText(attribution: readonly FieldSurprise[] | undefined): string | null {
  return attribution === undefined || attribution.length === 0 ? null : JSON.stringify(attribution)
}
