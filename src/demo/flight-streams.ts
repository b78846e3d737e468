import type { Source } from '../core/ports.ts'
import { columnNamed, type RecordBatch } from '../core/record.ts'

/** The batches of a source from the first on, with the flight's time as event time. Each is settled as it is taken. */
export async function* flightBatches(source: Source, signal: AbortSignal): AsyncGenerator<RecordBatch> {
  await source.open(signal)
  for await (const delivery of source.deliveries(signal)) {
    const { batch } = delivery
    const date = columnNamed(batch, 'date')
    yield date.kind === 'timestamp' ? { ...batch, eventTime: date.values } : batch
    await delivery.ack()
  }
}

/** Splits a stream in time order at `records`: what to learn from, then what is live. The first must be read first. */
export function splitStream(
  batches: AsyncIterator<RecordBatch>,
  records: number,
): { readonly training: AsyncGenerator<RecordBatch>; readonly live: AsyncGenerator<RecordBatch> } {
  async function* take(limit: number): AsyncGenerator<RecordBatch> {
    for (let taken = 0; taken < limit; ) {
      const { value, done } = await batches.next()
      if (done) return
      taken += value.rows
      yield value
    }
  }
  return { training: take(records), live: take(Number.POSITIVE_INFINITY) }
}
