import type { Delivery } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { ScoredBatch } from '../../core/scored.ts'

export interface InFlight {
  readonly delivery: Delivery
  readonly scored: ScoredBatch
}

/**
 * Scores deliveries with several in flight at once and yields them in order: reading, scoring in worker threads and
 * whatever the consumer does overlap, and memory is bounded by `depth` batches.
 */
export async function* scoreInOrder(
  deliveries: AsyncIterable<Delivery>,
  score: (batch: RecordBatch) => Promise<ScoredBatch>,
  depth: number,
): AsyncGenerator<InFlight> {
  const queue: { readonly delivery: Delivery; readonly scored: Promise<ScoredBatch> }[] = []
  const next = async (): Promise<InFlight> => {
    const { delivery, scored } = queue.shift()!
    return { delivery, scored: await scored }
  }
  for await (const delivery of deliveries) {
    const scored = score(delivery.batch)
    // An error surfaces when its turn comes.
    scored.catch(() => undefined)
    queue.push({ delivery, scored })
    if (queue.length >= depth) yield await next()
  }
  while (queue.length > 0) yield await next()
}
