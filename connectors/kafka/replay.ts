import { randomUUID } from 'node:crypto'
import type { Kafka } from 'kafkajs'
import type { RecordBatch } from '../../src/core/record.ts'
import type { Logger } from '../../src/core/telemetry.ts'
import { Arrivals } from './arrivals.ts'
import { brokersOf, kafkaClient } from './client.ts'
import { kafkaError } from './errors.ts'
import type { KafkaOptions, KafkaSourceOptions } from './options.ts'
import type { RecordDecoder } from './record-decoder.ts'
import { matchingTopics } from './topics.ts'

interface Range {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}
/** Reads what a source's topics hold, beside the consumer group that scores them: commits nothing. */
export class TopicReplay {
  private readonly kafka: KafkaOptions
  private readonly options: KafkaSourceOptions
  private readonly decoder: RecordDecoder
  private readonly client: Kafka

  constructor(kafka: KafkaOptions, options: KafkaSourceOptions, decoder: RecordDecoder, logger: Logger) {
    this.kafka = kafka
    this.options = options
    this.decoder = decoder
    this.client = kafkaClient(kafka, logger)
  }

  /** Records that the topics hold from a time (epoch milliseconds) on. */
  async count(since: number): Promise<number> {
    const ranges = await this.ranges(since)
    return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  /** The records from a time on, up to the topics' present ends; per partition in order. */
  async *records(since: number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    const ranges = new Map(
      (await this.ranges(since))
        .filter(({ from, to }) => from < to)
        .map((range): [string, Range] => [`${range.topic}-${range.partition}`, range]),
    )
    if (ranges.size === 0) return
    const queue = new Arrivals()
    const consumer = this.client.consumer({
      groupId: `surprisal-replay-${randomUUID()}`,
      sessionTimeout: this.kafka['session.timeout.ms'],
      maxWaitTimeInMs: this.kafka['fetch.wait.max.ms'],
      readUncommitted: this.kafka['isolation.level'] === 'read_uncommitted',
      allowAutoTopicCreation: false,
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => queue.fail(payload.error))
    const stop = () => queue.fail(signal.reason)
    signal.addEventListener('abort', stop)
    try {
      signal.throwIfAborted()
      await consumer.connect()
      await consumer.subscribe({
        topics: [...new Set([...ranges.values()].map(({ topic }) => topic))],
        fromBeginning: true,
      })
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch: { topic, partition, messages }, heartbeat }) => {
          queue.push({ topic, partition, messages })
          while (queue.full) {
            await queue.room(1000)
            await heartbeat()
          }
        },
      })
      for (const { topic, partition, from } of ranges.values())
        consumer.seek({ topic, partition, offset: String(from) })
      while (ranges.size > 0) {
        const { topic, partition, messages } = await queue.next()
        const name = `${topic}-${partition}`
        const range = ranges.get(name)
        if (range === undefined) continue
        const wanted = messages.filter(
          ({ offset }) => Number(offset) >= range.from && Number(offset) < range.to,
        )
        if (Number(messages.at(-1)?.offset ?? 0) + 1 >= range.to) ranges.delete(name)
        if (wanted.length > 0) yield (await this.decoder.decode(topic, partition, wanted)).batch
      }
    } catch (error) {
      signal.throwIfAborted()
      throw kafkaError(error, 'to replay topics', brokersOf(this.kafka).join(','))
    } finally {
      signal.removeEventListener('abort', stop)
      queue.close()
      await consumer.disconnect()
    }
  }

  private async ranges(since: number): Promise<Range[]> {
    const admin = this.client.admin()
    try {
      await admin.connect()
      const ranges: Range[] = []
      for (const topic of await matchingTopics(this.client, this.options)) {
        const starts = await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, since))
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          const start = Number(starts.find((s) => s.partition === partition)?.offset ?? low)
          ranges.push({ topic, partition, from: Math.max(start, Number(low)), to: Number(high) })
        }
      }
      return ranges
    } catch (error) {
      throw kafkaError(error, 'to list offsets', brokersOf(this.kafka).join(','))
    } finally {
      await admin.disconnect()
    }
  }
}
