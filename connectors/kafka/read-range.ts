import { randomUUID } from 'node:crypto'
import type { Kafka } from 'kafkajs'
import { type Arrival, Arrivals } from './arrivals.ts'
import { brokersOf, retryOf } from './client.ts'
import { kafkaError } from './errors.ts'
import type { KafkaOptions } from './options.ts'

export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** The offsets of topics from a time (epoch milliseconds) on, up to their present ends. */
export async function offsetRanges(
  client: Kafka,
  kafka: KafkaOptions,
  topics: readonly string[],
  since: number,
): Promise<OffsetRange[]> {
  const admin = client.admin()
  try {
    await admin.connect()
    const ranges: OffsetRange[] = []
    for (const topic of topics) {
      const starts = since > 0 ? await admin.fetchTopicOffsetsByTimestamp(topic, since) : []
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const start = Number(starts.find((s) => s.partition === partition)?.offset ?? low)
        ranges.push({ topic, partition, from: Math.max(start, Number(low)), to: Number(high) })
      }
    }
    return ranges
  } catch (error) {
    throw kafkaError(error, 'to list offsets', brokersOf(kafka).join(','))
  } finally {
    await admin.disconnect()
  }
}

/** The messages of ranges of offsets, which the topics hold; per partition in order. Commits nothing. */
export async function* readRanges(
  client: Kafka,
  kafka: KafkaOptions,
  wanted: readonly OffsetRange[],
  signal: AbortSignal,
): AsyncGenerator<Arrival> {
  const ranges = new Map<string, OffsetRange>()
  for (const range of wanted)
    if (range.from < range.to) ranges.set(`${range.topic}-${range.partition}`, range)
  if (ranges.size === 0) return
  const arrivals = new Arrivals()
  const consumer = client.consumer({
    groupId: `surprisal-reader-${randomUUID()}`,
    sessionTimeout: kafka['session.timeout.ms'],
    maxWaitTimeInMs: kafka['fetch.wait.max.ms'],
    readUncommitted: kafka['isolation.level'] === 'read_uncommitted',
    allowAutoTopicCreation: false,
    retry: { ...retryOf(kafka), restartOnFailure: async () => false },
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => arrivals.fail(payload.error))
  // Fetches that hold nothing but control records or aborted messages never reach eachBatch.
  consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
    const { topic, partition, lastOffset, batchSize } = payload
    if (batchSize === 0) arrivals.push({ topic, partition, messages: [], next: Number(lastOffset) + 1 })
  })
  const stop = () => arrivals.fail(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    await consumer.connect()
    const topics = [...new Set([...ranges.values()].map(({ topic }) => topic))]
    await consumer.subscribe({ topics, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        const { topic, partition, messages } = batch
        arrivals.push({ topic, partition, messages, next: Number(batch.lastOffset()) + 1 })
        while (arrivals.full) {
          await arrivals.room(1000)
          await heartbeat()
        }
      },
    })
    for (const { topic, partition, from } of ranges.values())
      consumer.seek({ topic, partition, offset: String(from) })
    while (ranges.size > 0) {
      const arrival = await arrivals.next()
      const name = `${arrival.topic}-${arrival.partition}`
      const range = ranges.get(name)
      if (range === undefined) continue
      if (arrival.next >= range.to) ranges.delete(name)
      const messages = arrival.messages.filter(
        ({ offset }) => Number(offset) >= range.from && Number(offset) < range.to,
      )
      if (messages.length > 0) yield { ...arrival, messages }
    }
  } catch (error) {
    signal.throwIfAborted()
    throw kafkaError(error, 'to read topics', brokersOf(kafka).join(','))
  } finally {
    signal.removeEventListener('abort', stop)
    arrivals.close()
    await consumer.disconnect()
  }
}
