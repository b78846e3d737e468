import type { KafkaMessage } from 'kafkajs'
import type { Logger } from '../../src/core/telemetry.ts'
import { kafkaClient } from './client.ts'
import { offsetRanges } from './consume/offset-ranges.ts'
import { PartitionReader } from './consume/partition-reader.ts'
import { CONNECT_HEADER } from './dead-letters.ts'
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

  /** One partition after the other, oldest first, up to the topic's present end. */
  async *letters(signal: AbortSignal): AsyncGenerator<DeadLetter> {
    using client = kafkaClient(this.kafka, this.logger)
    const ranges = await offsetRanges(client, this.kafka, [this.topic], 0)
    await using reader = await PartitionReader.connect(client, this.kafka, [this.topic])
    for (const range of ranges)
      for await (const { partition, messages } of reader.read(range, signal))
        for (const message of messages) yield letterOf(partition, message)
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
