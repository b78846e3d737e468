import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { Scorer } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import type { FieldSurprise, ScoredBatch } from '../core/scored.ts'
import { selectRows } from '../features/select-rows.ts'
import { unscoredBatch } from './unscored.ts'

/** Scoring calls that one failing batch may cost; what is not told apart by then is unscored together. */
const MAX_CALLS = 64

/**
 * Scores a batch; where that fails, halves it until the records that break the model stand alone. They come out
 * unscored with the error as their reason, their neighbours scored. A retryable error is the caller's matter.
 */
export async function scoreIsolating(
  scorer: Scorer,
  batch: RecordBatch,
  pipeline: string,
  explain: boolean,
): Promise<ScoredBatch> {
  let calls = 0
  const score = async (part: RecordBatch): Promise<ScoredBatch> => {
    calls++
    try {
      return await scorer.score(part, { pipeline, explain })
    } catch (error) {
      if (isSurprisalError(error) && error.retryable) throw error
      if (part.rows <= 1 || calls >= MAX_CALLS)
        return unscoredBatch(part, pipeline, scorer, () => `scoring failed: ${messageOf(error)}`)
      const half = part.rows >> 1
      const rows = Array.from({ length: part.rows }, (_, row) => row)
      const left = await score(selectRows(part, rows.slice(0, half)))
      return joinScores(part, left, await score(selectRows(part, rows.slice(half))))
    }
  }
  return score(batch)
}

function joinScores(batch: RecordBatch, left: ScoredBatch, right: ScoredBatch): ScoredBatch {
  const shift = left.batch.rows
  const floats = (key: 'logProb' | 'score' | 'pValue') => Float64Array.from([...left[key], ...right[key]])
  const bytes = (key: 'pMethod' | 'verdict') => Uint8Array.from([...left[key], ...right[key]])
  const shifted = <T>(map: ReadonlyMap<number, T>) =>
    [...map].map(([row, value]): [number, T] => [row + shift, value])
  return {
    ...left,
    batch,
    logProb: floats('logProb'),
    score: floats('score'),
    pValue: floats('pValue'),
    pMethod: bytes('pMethod'),
    verdict: bytes('verdict'),
    reasons: new Map([...left.reasons, ...shifted(right.reasons)]),
    attributions: new Map<number, readonly FieldSurprise[]>([
      ...left.attributions,
      ...shifted(right.attributions),
    ]),
    suppressed: new Map([
      ...(left.suppressed ?? []),
      ...shifted(right.suppressed ?? new Map<number, string>()),
    ]),
  }
}
