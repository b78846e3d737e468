import type { Producer, TopicMessages } from 'kafkajs'
import { SurprisalError } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/telemetry.ts'
import { brokersOf, type KafkaClient, kafkaClient, retryOf } from '../client.ts'
import { isTooLarge, kafkaError } from '../errors.ts'
import type { KafkaOptions } from '../options.ts'
import { COMPRESSION_TYPES } from '../wire/codecs.ts'
import { GatheredWrites } from './gathered-writes.ts'
import { keyPartitioner } from './key-partitioner.ts'
import { inGroups } from './request-groups.ts'
import type { Sender } from './sender.ts'

/** Below the broker's default message.max.bytes (1 MiB), with room for what the protocol adds. */
export const MAX_REQUEST_BYTES = 900_000

/** A producer that writes messages in order, in requests that the broker takes. */
export class TopicWriter implements AsyncDisposable {
  private readonly options: KafkaOptions
  private readonly kafka: KafkaClient
  private readonly producer: Producer
  private readonly gathered = new GatheredWrites<TopicMessages>((outputs) =>
    this.send(outputs, this.producer),
  )
  private connected: Promise<void> | undefined

  constructor(options: KafkaOptions, logger: Logger) {
    this.options = options
    this.kafka = kafkaClient(options, logger)
    // Requests to one partition never overtake each other: the pipeline writes a partition's batches one by one.
    this.producer = this.kafka.producer({
      createPartitioner: keyPartitioner,
      allowAutoTopicCreation: true,
      retry: retryOf(options),
    })
  }

  /** Connects on the first call; a failure is tried again with the next. */
  async connect(): Promise<void> {
    this.connected ??= this.producer.connect()
    try {
      await this.connected
    } catch (error) {
      this.connected = undefined
      throw kafkaError(error, 'to connect a producer', brokersOf(this.options).join(','))
    }
  }

  /** Resolves once every replica that `acks` asks for has the messages. */
  async write(outputs: readonly TopicMessages[], transaction?: Sender): Promise<void> {
    if (transaction !== undefined) return this.send(outputs, transaction)
    await this.connect()
    await this.gathered.add(outputs)
  }

  private async send(outputs: readonly TopicMessages[], sender: Sender): Promise<void> {
    const acks = this.options.acks === 'all' ? -1 : this.options.acks
    const compression = COMPRESSION_TYPES.indexOf(this.options['compression.type'])
    for (const topicMessages of inGroups(outputs, MAX_REQUEST_BYTES)) {
      try {
        await sender.sendBatch({ topicMessages, acks, compression })
      } catch (error) {
        const topics = [...new Set(topicMessages.map(({ topic }) => topic))].join(', ')
        if (isTooLarge(error)) {
          const advice = 'raise message.max.bytes of the topic or lower max_record_bytes of the source'
          throw new SurprisalError('SINK_FAILED', `a message is too large for topic ${topics}: ${advice}`, {
            cause: error,
          })
        }
        throw kafkaError(error, `a write to topic ${topics}`, brokersOf(this.options).join(','))
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { connected } = this
    this.connected = undefined
    await connected?.catch(() => undefined)
    await this.producer.disconnect()
    this.kafka[Symbol.dispose]()
  }
}
