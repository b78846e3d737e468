import type { ScoreOptions, Scorer } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import type { ScoredBatch, ScoredRecord } from '../core/scored.ts'
import { scoredRecords } from '../core/scored-record.ts'
import { type RecordBatchOptions, type Records, recordBatches } from './record-batches.ts'
import { pipelined } from './threads/pipelined.ts'

export interface ScoreStreamOptions extends Partial<ScoreOptions>, RecordBatchOptions {
  /** Batches under way at once: bounds memory, keeps the scoring threads busy. Default 4. */
  readonly inFlight?: number
}

const IN_FLIGHT = 4

/** Scores batches several at a time and gives them back in order. */
export function scoreBatches(
  scorer: Scorer,
  batches: AsyncIterable<RecordBatch>,
  { inFlight = IN_FLIGHT, pipeline = 'default', explain = true, runId }: ScoreStreamOptions = {},
): AsyncGenerator<ScoredBatch, void, undefined> {
  const options: ScoreOptions = { pipeline, explain, ...(runId !== undefined && { runId }) }
  const score = alongStream(scorer)
  return pipelined(batches, (batch) => score(batch, options), inFlight)
}

/**
 * A scorer's score for the batches of one stream, called in their order, each before or after the one before is done: a
 * model that looks back sees those before.
 */
export function alongStream(scorer: Scorer): Scorer['score'] {
  const lookBack = scorer.lookBack?.()
  if (lookBack === undefined) return (batch, options) => scorer.score(batch, options)
  return async (batch, options) => ({ ...(await scorer.score(lookBack.append(batch), options)), batch })
}

/** Scores a stream of records (or batches) and gives one scored record for each, in order. */
export async function* scoreStream(
  scorer: Scorer,
  records: Records,
  options: ScoreStreamOptions = {},
): AsyncGenerator<ScoredRecord, void, undefined> {
  for await (const scored of scoreBatches(scorer, recordBatches(records, options), options))
    yield* scoredRecords(scored)
}
