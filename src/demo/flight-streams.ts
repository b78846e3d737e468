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

const WEEK = 7 * 86_400_000

/**
 * A stream in time order over and over, later each time by its length in whole weeks: flights keep their hour and
 * weekday, and their clock never goes back. Ends where the stream is empty or has no dates.
 */
export async function* overAndOver(
  open: () => Promise<AsyncIterable<RecordBatch>>,
): AsyncGenerator<RecordBatch> {
  let shift = 0
  for (let again = true; again; ) {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for await (const batch of await open()) {
      for (const time of batch.eventTime ?? []) {
        if (time < first) first = time
        if (time > last) last = time
      }
      yield shift === 0 ? batch : later(batch, shift)
    }
    again = first <= last
    shift += (Math.floor((last - first) / WEEK) + 1) * WEEK
  }
}

function later(batch: RecordBatch, shift: number): RecordBatch {
  const date = columnNamed(batch, 'date')
  if (date.kind !== 'timestamp') return batch
  const values = date.values.map((time) => time + shift)
  return { ...batch, columns: new Map([...batch.columns, ['date', { ...date, values }]]), eventTime: values }
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
