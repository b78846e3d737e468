import type { RejectedRecord } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import { type ScoredBatch, UNSCORED } from '../core/scored.ts'

/** A batch none of whose rows has a score, each with its reason: never dropped, never "normal". */
export function unscoredBatch(
  batch: RecordBatch,
  pipeline: string,
  scorer: { readonly modelVersion: number; readonly rate: number },
  reason: (row: number) => string,
): ScoredBatch {
  const nan = () => new Float64Array(batch.rows).fill(Number.NaN)
  return {
    batch,
    pipeline,
    modelVersion: scorer.modelVersion,
    scoredAt: Date.now(),
    threshold: scorer.rate,
    logProb: nan(),
    score: nan(),
    pValue: nan(),
    pMethod: new Uint8Array(batch.rows),
    verdict: new Uint8Array(batch.rows).fill(UNSCORED),
    reasons: new Map(Array.from({ length: batch.rows }, (_, row) => [row, [reason(row)]])),
    attributions: new Map(),
  }
}

/** Records that could not be decoded, as rows without columns. */
export function batchOfRejected(rejected: readonly RejectedRecord[], beside: RecordBatch): RecordBatch {
  return {
    rows: rejected.length,
    columns: new Map(),
    origin: { ...beside.origin, offsets: Float64Array.from(rejected, ({ offset }) => offset) },
    eventTime: Float64Array.from(rejected, ({ timestamp }) => (timestamp === -1 ? Number.NaN : timestamp)),
  }
}
