import type { TopicMessages } from 'kafkajs'
import type { Delivery, Sink } from '../../src/core/ports.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import type { Logger } from '../../src/core/telemetry.ts'
import type { KafkaOptions, KafkaSinkOptions } from './options.ts'
import { packedMessages } from './produce/packed-messages.ts'
import { anomalousRows, everyRow, recordMessages } from './produce/scored-messages.ts'
import { senderOf } from './produce/sender.ts'
import { MAX_REQUEST_BYTES, TopicWriter } from './produce/topic-writer.ts'

/** Scored records to `<in>.scored` and anomalies with their attributions to `<in>.anomalies`. */
export class KafkaSink implements Sink {
  readonly name: string
  readonly idempotent = false
  readonly durableAt = 'write'
  private readonly options: KafkaSinkOptions
  private readonly fallback: string
  private readonly writer: TopicWriter

  /** @param fallback stands for `<in>` where a batch does not come from a topic. */
  constructor(kafka: KafkaOptions, options: KafkaSinkOptions, fallback: string, logger: Logger) {
    this.options = options
    this.fallback = fallback
    this.name = `kafka ${options.scored || options.anomalies || '<in>.scored'}`
    this.writer = new TopicWriter(kafka, logger)
  }

  async open(): Promise<void> {
    await this.writer.connect()
  }

  async write(scored: ScoredBatch, delivery?: Delivery): Promise<void> {
    const input = scored.batch.origin.topic ?? this.fallback
    const { scored: all, anomalies, encoding } = this.options
    const outputs: TopicMessages[] = []
    if (all !== false) {
      const packed = encoding === 'packed'
      const messages = packed
        ? packedMessages(scored, MAX_REQUEST_BYTES)
        : recordMessages(scored, delivery, everyRow(scored))
      outputs.push({ topic: all ?? `${input}.scored`, messages })
    }
    if (anomalies !== false) {
      const messages = recordMessages(scored, delivery, anomalousRows(scored))
      outputs.push({ topic: anomalies ?? `${input}.anomalies`, messages })
    }
    await this.writer.write(outputs, senderOf(delivery))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]()
  }
}
