import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { SurprisalError } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/telemetry.ts'
import { brokersOf } from '../client.ts'
import { type Cluster, clusterOf, type FetchedBatch as FetchedMessages } from '../cluster.ts'
import { isOutOfRange, kafkaError } from '../errors.ts'
import type { KafkaOptions } from '../options.ts'
import { placeOf } from '../wire/fetched-record.ts'
import { FetchedBatch } from '../wire/kafkajs.ts'
import { patiently } from './patience.ts'

export interface OffsetRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}
export interface RangePart {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly KafkaMessage[]
}

/** How long a leader may say that there is nothing yet where there was something before. */
const SILENCE_MS = 60_000

/**
 * Reads ranges of offsets straight from the leaders of their partitions. It joins no group: nothing is committed, no
 * rebalance is waited for, and no other partition is read. A partition without a leader is waited for.
 */
export class PartitionReader implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #kafka: KafkaOptions
  readonly #logger: Logger

  private constructor(cluster: Cluster, kafka: KafkaOptions, logger: Logger) {
    this.#cluster = cluster
    this.#kafka = kafka
    this.#logger = logger
  }

  /** Throws SERVICE_UNREACHABLE, SERVICE_REFUSED. */
  static async connect(
    client: Kafka,
    kafka: KafkaOptions,
    topics: readonly string[],
    logger: Logger,
  ): Promise<PartitionReader> {
    const cluster = clusterOf(client)
    try {
      await cluster.connect()
      await cluster.addMultipleTargetTopics(topics)
      return new PartitionReader(cluster, kafka, logger)
    } catch (error) {
      await cluster.disconnect()
      throw kafkaError(error, 'to read topics', brokersOf(kafka).join(','))
    }
  }

  /**
   * The messages of a range, in order. What the partition does not hold any more (retention, deleted records, an unclean
   * election) is left out and logged, with how many offsets that are.
   */
  async *read(range: OffsetRange, signal: AbortSignal): AsyncGenerator<RangePart> {
    const { topic, partition, to } = range
    let heard = Date.now()
    for (let next = range.from; next < to; ) {
      signal.throwIfAborted()
      const fetched = await this.#fetch(topic, partition, next, signal)
      if ('earliest' in fetched) {
        const { earliest } = fetched
        const upTo = earliest > next ? Math.min(earliest, to) : to
        const gone = { topic, partition, from: next, to: upTo, offsets: upTo - next }
        this.#logger.warn(gone, 'records are gone before they were read')
        next = earliest > next ? earliest : to
        continue
      }
      if (fetched.rawMessages.length > 0) {
        const messages = fetched.messages.filter((message) => placeOf(message) < to)
        if (messages.length > 0) yield { topic, partition, messages }
        next = Number(fetched.lastOffset()) + 1
        heard = Date.now()
        continue
      }
      // A leader of a moment does not know how far all replicas are; a quota answers with nothing.
      if (Date.now() - heard > SILENCE_MS) throw this.#silent(topic, partition, next, to)
      await sleep(this.#kafka['retry.backoff.ms'], undefined, { signal })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.disconnect()
  }

  #silent(topic: string, partition: number, next: number, to: number): SurprisalError {
    const what = `${topic}-${partition} gave nothing from offset ${next} on for ${SILENCE_MS / 1000} s, and it ended at ${to}`
    const advice = 'is a replica out of sync, or a quota of this client used up?'
    return new SurprisalError('SERVICE_UNREACHABLE', `Kafka at ${brokersOf(this.#kafka)}: ${what}; ${advice}`)
  }

  async #fetch(
    topic: string,
    partition: number,
    offset: number,
    signal: AbortSignal,
  ): Promise<FetchedMessages | { readonly earliest: number }> {
    const { 'retry.backoff.ms': pauseMs } = this.#kafka
    const attempt = async () => {
      try {
        return await this.#ask(topic, partition, offset)
      } catch (error) {
        if (isOutOfRange(error)) return { earliest: await this.#earliest(topic, partition) }
        throw error
      }
    }
    // The partition may have another leader by then.
    const again = () => this.#cluster.refreshMetadata().catch(() => undefined)
    const waiting = { topic, partition, offset }
    try {
      return await patiently(attempt, { pauseMs, signal, logger: this.#logger, waiting, again })
    } catch (error) {
      signal.throwIfAborted()
      throw kafkaError(error, `to read ${topic}-${partition}`, brokersOf(this.#kafka).join(','))
    }
  }

  async #ask(topic: string, partition: number, offset: number): Promise<FetchedMessages> {
    const kafka = this.#kafka
    const fetchOffset = String(offset)
    const broker = await this.#leader(topic, partition)
    const { responses } = await broker.fetch({
      isolationLevel: kafka['isolation.level'] === 'read_uncommitted' ? 0 : 1,
      maxWaitTime: kafka['fetch.wait.max.ms'],
      minBytes: 1,
      maxBytes: kafka['fetch.max.bytes'],
      topics: [
        {
          topic,
          partitions: [{ partition, fetchOffset, maxBytes: kafka['max.partition.fetch.bytes'] }],
        },
      ],
    })
    // Under a quota that is used up the answer names no topic.
    const [part] = responses[0]?.partitions ?? []
    return new FetchedBatch(topic, fetchOffset, part ?? { partition, messages: [] })
  }

  async #leader(topic: string, partition: number) {
    const [nodeId] = Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]))
    return this.#cluster.findBroker({ nodeId })
  }

  async #earliest(topic: string, partition: number): Promise<number> {
    const [{ partitions }] = await this.#cluster.fetchTopicsOffset([
      { topic, fromBeginning: true, partitions: [{ partition }] },
    ])
    return Number(partitions[0].offset)
  }
}
