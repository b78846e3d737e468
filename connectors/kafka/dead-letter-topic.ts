import type { Kafka, KafkaMessage } from 'kafkajs'
import { type Logger, SILENT } from '../../src/core/telemetry.ts'
import { kafkaClient } from './client.ts'
import { offsetRanges } from './consume/offset-ranges.ts'
import { type OffsetRange, PartitionReader, type RangePart } from './consume/partition-reader.ts'
import { CONNECT_HEADER } from './dead-letters.ts'
import { isUnknownTopic } from './errors.ts'
import type { KafkaOptions } from './options.ts'
import { TopicWriter } from './produce/topic-writer.ts'

/** A record in a dead-letter topic, whoever put it there in Kafka Connect's way. */
export interface DeadLetter {
  /** Where it lies in the dead-letter topic. */
  readonly partition: number
  readonly offset: number
  /** Where it came from. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number }
  readonly reason: string
  readonly at: string
  readonly message: KafkaMessage
}

/** Lists a dead-letter topic and sends its records back to where they came from. */
export class DeadLetterTopic implements AsyncDisposable {
  private readonly kafka: KafkaOptions
  private readonly logger: Logger
  private readonly topic: string
  private readonly writer: TopicWriter

  constructor(kafka: KafkaOptions, topic: string, logger: Logger) {
    this.kafka = kafka
    this.topic = topic
    this.logger = logger
    this.writer = new TopicWriter(kafka, logger)
  }

  /** Oldest first, up to the topic's present end; none where there is no topic yet. */
  async *letters(signal: AbortSignal): AsyncGenerator<DeadLetter> {
    // What the client meets is thrown, or waited for with a word of our own.
    using client = kafkaClient(this.kafka, SILENT)
    const { kafka, topic, logger } = this
    const ranges = await this.ranges(client, signal)
    if (ranges.length === 0) return
    await using reader = await PartitionReader.connect(client, kafka, [topic], logger)
    yield* oldestFirst(ranges.map((range) => lettersOf(reader.read(range, signal))))
  }

  private async ranges(client: Kafka, signal: AbortSignal): Promise<OffsetRange[]> {
    const { kafka, topic, logger } = this
    try {
      const ranges = await offsetRanges(client, kafka, [topic], 0, { logger, signal })
      return ranges.sort((a, b) => a.partition - b.partition)
    } catch (error) {
      if (!isUnknownTopic(error)) throw error
      logger.warn({ topic }, 'there is no such topic, so no dead letter has been written to it')
      return []
    }
  }

  /**
   * Produces the original key, value and headers, without those of its failure, to the topic it came from. The dead
   * letter stays: topics only grow, and a record that fails again comes back with a new place.
   */
  async replay({ source, message }: DeadLetter): Promise<void> {
    const headers = Object.fromEntries(
      Object.entries(message.headers ?? {}).filter(([name]) => !name.startsWith(CONNECT_HEADER)),
    )
    const { key, value, timestamp } = message
    await this.writer.write([{ topic: source.topic, messages: [{ key, value, headers, timestamp }] }])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]()
  }
}

async function* lettersOf(parts: AsyncIterable<RangePart>): AsyncGenerator<DeadLetter> {
  for await (const { partition, messages } of parts)
    for (const message of messages) yield letterOf(partition, message)
}

/** What lies in each partition in its own order as one: always the oldest of those that come next. */
async function* oldestFirst(partitions: readonly AsyncGenerator<DeadLetter>[]): AsyncGenerator<DeadLetter> {
  const heads: { letter: DeadLetter; rest: AsyncGenerator<DeadLetter> }[] = []
  for (const rest of partitions) {
    const { done, value: letter } = await rest.next()
    if (!done) heads.push({ letter, rest })
  }
  while (heads.length > 0) {
    const oldest = heads.reduce((a, b) => (b.letter.at < a.letter.at ? b : a))
    yield oldest.letter
    const { done, value: letter } = await oldest.rest.next()
    if (done) heads.splice(heads.indexOf(oldest), 1)
    else oldest.letter = letter
  }
}

function letterOf(partition: number, message: KafkaMessage): DeadLetter {
  const header = (name: string) => String(message.headers?.[CONNECT_HEADER + name] ?? '')
  return {
    partition,
    offset: Number(message.offset),
    source: {
      topic: header('topic'),
      partition: Number(header('partition')),
      offset: Number(header('offset')),
    },
    reason: header('exception.message'),
    at: new Date(Number(message.timestamp)).toISOString(),
    message,
  }
}
