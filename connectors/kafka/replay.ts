import type { Kafka } from 'kafkajs'
import type { RecordBatch } from '../../src/core/record.ts'
import type { Logger } from '../../src/core/telemetry.ts'
import { kafkaClient } from './client.ts'
import type { KafkaOptions, KafkaSourceOptions } from './options.ts'
import { offsetRanges, readRange } from './read-range.ts'
import type { RecordDecoder } from './record-decoder.ts'
import { matchingTopics } from './topics.ts'

/** Reads what a source's topics hold, beside the consumer group that scores them: commits nothing. */
export class TopicReplay {
  private readonly kafka: KafkaOptions
  private readonly options: Pick<KafkaSourceOptions, 'topics' | 'pattern'>
  private readonly decoder: RecordDecoder
  private readonly client: Kafka

  constructor(
    kafka: KafkaOptions,
    options: Pick<KafkaSourceOptions, 'topics' | 'pattern'>,
    decoder: RecordDecoder,
    logger: Logger,
  ) {
    this.kafka = kafka
    this.options = options
    this.decoder = decoder
    this.client = kafkaClient(kafka, logger)
  }

  /** Records that the topics hold from a time (epoch milliseconds) on. */
  async count(since: number): Promise<number> {
    const topics = await matchingTopics(this.client, this.options)
    const ranges = await offsetRanges(this.client, this.kafka, topics, since)
    return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  /** The records from a time on, up to the topics' present ends; per partition in order. */
  async *records(since: number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    const topics = await matchingTopics(this.client, this.options)
    for await (const { topic, partition, messages } of readRange(
      this.client,
      this.kafka,
      topics,
      since,
      signal,
    ))
      yield (await this.decoder.decode(topic, partition, messages)).batch
  }
}
