import type { Message } from 'kafkajs'
import type { ScoredBatch } from '../../../src/core/scored.ts'
import { sliceBatch } from '../../../src/core/slice-batch.ts'
import { arrowEncoder } from '../../arrow/sink.ts'

export const ARROW_STREAM = 'application/vnd.apache.arrow.stream'

/**
 * A scored batch as messages that each hold an Arrow IPC stream of up to `maxBytes`: the columns of the files that
 * `surprisal score` writes, readable by any Arrow library. The key is the input partition, which keeps its order.
 */
export function packedMessages(scored: ScoredBatch, maxBytes: number): Message[] {
  const { rows, origin } = scored.batch
  if (rows === 0) return []
  const encoder = arrowEncoder([], 'stream')
  const value = Buffer.concat([...encoder.begin(), ...encoder.encode(scored), ...encoder.end()])
  if (value.length <= maxBytes || rows === 1)
    return [{ key: origin.prefix, value, headers: { 'content-type': ARROW_STREAM } }]
  const half = Math.ceil(rows / 2)
  return [
    ...packedMessages(part(scored, 0, half), maxBytes),
    ...packedMessages(part(scored, half, rows), maxBytes),
  ]
}

function part(scored: ScoredBatch, from: number, to: number): ScoredBatch {
  const within = <T>(map: ReadonlyMap<number, T>) =>
    new Map([...map].filter(([row]) => row >= from && row < to).map(([row, value]) => [row - from, value]))
  return {
    ...scored,
    batch: sliceBatch(scored.batch, from, to),
    logProb: scored.logProb.subarray(from, to),
    score: scored.score.subarray(from, to),
    pValue: scored.pValue.subarray(from, to),
    pMethod: scored.pMethod.subarray(from, to),
    verdict: scored.verdict.subarray(from, to),
    reasons: within(scored.reasons),
    attributions: within(scored.attributions),
    ...(scored.suppressed && { suppressed: within(scored.suppressed) }),
  }
}
