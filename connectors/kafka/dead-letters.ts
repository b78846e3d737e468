import type { IHeaders, Message } from 'kafkajs'
import type { DeadLetters, Delivery, RejectedRecord } from '../../src/core/ports.ts'
import type { Logger } from '../../src/core/telemetry.ts'
import type { KafkaOptions } from './options.ts'
import { senderOf } from './produce/sender.ts'
import { TopicWriter } from './produce/topic-writer.ts'

export const CONNECT_HEADER = '__connect.errors.'

/** Untouched key, value and timestamp to `<in>.dlq`, with the headers that Kafka Connect writes (KIP-298). */
export class KafkaDeadLetters implements DeadLetters {
  readonly name: string
  private readonly topic: string | undefined
  private readonly pipeline: string
  private readonly writer: TopicWriter

  constructor(options: KafkaOptions, pipeline: string, topic: string | undefined, logger: Logger) {
    this.topic = topic
    this.pipeline = pipeline
    this.name = `kafka ${topic ?? '<in>.dlq'}`
    this.writer = new TopicWriter(options, logger)
  }

  async open(): Promise<void> {
    await this.writer.connect()
  }

  async write(rejected: readonly RejectedRecord[], delivery: Delivery): Promise<void> {
    const { topic = 'records', partition = 0 } = delivery.batch.origin
    const messages = rejected.map((record): Message => {
      const headers = { ...record.headers, ...connectHeaders(record, topic, partition, this.pipeline) }
      return { key: record.key, value: record.value, headers, ...timestampOf(record) }
    })
    await this.writer.write([{ topic: this.topic ?? `${topic}.dlq`, messages }], senderOf(delivery))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer[Symbol.asyncDispose]()
  }
}

function connectHeaders(
  { offset, reason, cause }: RejectedRecord,
  topic: string,
  partition: number,
  pipeline: string,
): IHeaders {
  const error = cause instanceof Error ? cause : new Error(reason)
  const headers = {
    topic,
    partition: String(partition),
    offset: String(offset),
    'connector.name': pipeline,
    'task.id': '0',
    stage: 'VALUE_CONVERTER',
    'class.name': 'surprisal',
    'exception.class.name': error.name,
    'exception.message': reason,
    'exception.stacktrace': error.stack ?? reason,
  }
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [CONNECT_HEADER + name, text]))
}

/** A message without a timestamp has −1, which a producer cannot send. */
function timestampOf({ timestamp }: RejectedRecord): { timestamp?: string } {
  return timestamp >= 0 ? { timestamp: String(timestamp) } : {}
}
