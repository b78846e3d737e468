import { isoOrNull } from './iso-times.ts'
import { idOf, offsetOf } from './record.ts'
import {
  ANOMALY,
  type ScoredBatch,
  type ScoredRecord,
  type Severity,
  severityOf,
  UNSCORED,
  VERDICTS,
} from './scored.ts'

/** Row `row` of a scored batch as the wire record. */
export function scoredRecord(scored: ScoredBatch, row: number): ScoredRecord {
  const { batch } = scored
  const { origin } = batch
  const verdict = scored.verdict[row]
  const known = verdict !== UNSCORED
  const time = batch.eventTime?.[row]
  return {
    id: idOf(origin, row),
    pipeline: scored.pipeline,
    model_version: scored.modelVersion,
    event_time: isoOrNull(time),
    scored_at: new Date(scored.scoredAt).toISOString(),
    entity: batch.entity?.[row] ?? null,
    log_prob: known ? scored.logProb[row] : null,
    score: known ? scored.score[row] : null,
    p_value: known ? scored.pValue[row] : null,
    p_method: known ? (scored.pMethod[row] === 1 ? 'tail' : 'rank') : null,
    is_anomaly: verdict === ANOMALY,
    severity: severityAt(scored, row),
    threshold: scored.threshold,
    verdict: VERDICTS[verdict],
    reasons: scored.reasons.get(row) ?? [],
    attribution: scored.attributions.get(row) ?? [],
    suppressed: scored.suppressed?.get(row) ?? null,
    source: {
      ...(origin.topic !== undefined && { topic: origin.topic }),
      ...(origin.partition !== undefined && { partition: origin.partition }),
      offset: offsetOf(origin, row),
    },
    ...(scored.runId !== undefined && { run_id: scored.runId }),
  }
}

/** All rows of a scored batch, in order. */
export function* scoredRecords(scored: ScoredBatch): Generator<ScoredRecord> {
  for (let row = 0; row < scored.batch.rows; row++) yield scoredRecord(scored, row)
}

/** The severity of a flagged row, null for any other. A row flagged by a rule alone is a warning. */
export function severityAt(scored: ScoredBatch, row: number): Severity | null {
  if (scored.verdict[row] !== ANOMALY) return null
  return severityOf(scored.pValue[row], scored.threshold) ?? 'warning'
}
