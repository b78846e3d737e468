import type { RecordBatch } from '../src/core/record.ts'
import type { ScoredBatch } from '../src/core/scored.ts'

/** Every row the same: what is left is the stream's own cost. */
export function constantScores(batch: RecordBatch, pipeline: string): ScoredBatch {
  const { rows } = batch
  const filled = (value: number) => new Float64Array(rows).fill(value)
  return {
    batch,
    pipeline,
    modelVersion: 1,
    scoredAt: Date.now(),
    threshold: 0.001,
    logProb: filled(-20.125),
    score: filled(0.30103),
    pValue: filled(0.5),
    pMethod: new Uint8Array(rows),
    verdict: new Uint8Array(rows),
    reasons: new Map(),
    attributions: new Map(),
  }
}
