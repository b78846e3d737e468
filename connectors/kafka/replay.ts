import { mergeByTime } from '../../src/core/merge-by-time.ts'
import type { RecordBatch } from '../../src/core/record.ts'
import { type Logger, SILENT } from '../../src/core/telemetry.ts'
import { type KafkaClient, kafkaClient } from './client.ts'
import { offsetRanges } from './consume/offset-ranges.ts'
import { type OffsetRange, PartitionReader } from './consume/partition-reader.ts'
import { matchingTopics } from './consume/topics.ts'
import type { KafkaOptions, KafkaSourceOptions } from './options.ts'
import type { RecordDecoder } from './values/record-decoder.ts'

/** Reads what a source's topics hold, beside the consumer group that scores them: commits nothing. */
export class TopicReplay {
  private readonly kafka: KafkaOptions
  private readonly options: Pick<KafkaSourceOptions, 'topics' | 'pattern'>
  private readonly decoder: RecordDecoder
  private readonly client: KafkaClient
  private readonly logger: Logger

  constructor(
    kafka: KafkaOptions,
    options: Pick<KafkaSourceOptions, 'topics' | 'pattern'>,
    decoder: RecordDecoder,
    logger: Logger,
  ) {
    this.kafka = kafka
    this.options = options
    this.decoder = decoder
    // What the client meets is thrown, or waited for with a word of our own.
    this.client = kafkaClient(kafka, SILENT)
    this.logger = logger
  }

  /** Records that the topics hold from a time (epoch milliseconds) on. */
  async count(since: number, signal: AbortSignal): Promise<number> {
    using client = this.client.another()
    const topics = await matchingTopics(client, this.options)
    const { logger } = this
    const ranges = await offsetRanges(client, this.kafka, topics, since, { logger, signal })
    return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  /** The records from a time on, up to the topics' present ends, in the order of event time. */
  async *records(since: number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    using client = this.client.another()
    const topics = await matchingTopics(client, this.options)
    const { logger } = this
    const ranges = await offsetRanges(client, this.kafka, topics, since, { logger, signal })
    await using reader = await PartitionReader.connect(client, this.kafka, topics, logger)
    yield* mergeByTime(
      ranges.filter(({ from, to }) => from < to).map((range) => this.decoded(reader, range, signal)),
    )
  }

  /** The last `records` offsets of a partition before `offset`, as far as they are still there; in order. */
  async *before(
    {
      topic,
      partition,
      offset,
    }: { readonly topic: string; readonly partition: number; readonly offset: number },
    records: number,
    signal: AbortSignal,
  ): AsyncGenerator<RecordBatch> {
    const from = Math.max(0, offset - records)
    if (from === offset) return
    using client = this.client.another()
    await using reader = await PartitionReader.connect(client, this.kafka, [topic], this.logger)
    yield* this.decoded(reader, { topic, partition, from, to: offset }, signal)
  }

  private async *decoded(
    reader: PartitionReader,
    range: OffsetRange,
    signal: AbortSignal,
  ): AsyncGenerator<RecordBatch> {
    let rejected = 0
    let reason: string | undefined
    for await (const { topic, partition, messages } of reader.read(range, signal)) {
      const decoded = await this.decoder.decode(topic, partition, messages)
      rejected += decoded.rejected.length
      reason ??= decoded.rejected[0]?.reason
      yield decoded.batch
    }
    if (rejected > 0)
      this.logger.warn({ ...range, records: rejected, reason }, 'records that cannot be decoded are left out')
  }
}
