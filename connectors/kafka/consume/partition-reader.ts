import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { brokersOf } from '../client.ts'
import { type Cluster, clusterOf, type FetchedBatch as Fetched } from '../cluster.ts'
import { isOutOfRange, isRetriable, kafkaError } from '../errors.ts'
import type { KafkaOptions } from '../options.ts'
import { placeOf } from '../wire/fetched-record.ts'
import { FetchedBatch } from '../wire/kafkajs.ts'

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

const ATTEMPTS = 5

/**
 * Reads ranges of offsets straight from the leaders of their partitions. It joins no group: nothing is committed, no
 * rebalance is waited for, and no other partition is read.
 */
export class PartitionReader implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #kafka: KafkaOptions

  private constructor(cluster: Cluster, kafka: KafkaOptions) {
    this.#cluster = cluster
    this.#kafka = kafka
  }

  /** Throws SERVICE_UNREACHABLE, SERVICE_REFUSED. */
  static async connect(
    client: Kafka,
    kafka: KafkaOptions,
    topics: readonly string[],
  ): Promise<PartitionReader> {
    const cluster = clusterOf(client)
    try {
      await cluster.connect()
      await cluster.addMultipleTargetTopics(topics)
      return new PartitionReader(cluster, kafka)
    } catch (error) {
      await cluster.disconnect()
      throw kafkaError(error, 'to read topics', brokersOf(kafka).join(','))
    }
  }

  /** The messages of a range, in order, as far as the partition holds them now: retention and the end may cut it. */
  async *read(range: OffsetRange, signal: AbortSignal): AsyncGenerator<RangePart> {
    const { topic, partition, to } = range
    for (let next = range.from; next < to; ) {
      signal.throwIfAborted()
      const fetched = await this.#fetch(topic, partition, next)
      if ('earliest' in fetched) {
        if (fetched.earliest <= next) return
        next = fetched.earliest
        continue
      }
      if (fetched.rawMessages.length === 0) return
      const messages = fetched.messages.filter((message) => placeOf(message) < to)
      if (messages.length > 0) yield { topic, partition, messages }
      next = Number(fetched.lastOffset()) + 1
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.disconnect()
  }

  async #fetch(
    topic: string,
    partition: number,
    offset: number,
  ): Promise<Fetched | { readonly earliest: number }> {
    const kafka = this.#kafka
    for (let attempt = 1; ; attempt++) {
      try {
        const broker = await this.#leader(topic, partition)
        const { responses } = await broker.fetch({
          isolationLevel: kafka['isolation.level'] === 'read_uncommitted' ? 0 : 1,
          maxWaitTime: kafka['fetch.wait.max.ms'],
          minBytes: 1,
          maxBytes: kafka['fetch.max.bytes'],
          topics: [
            {
              topic,
              partitions: [
                { partition, fetchOffset: String(offset), maxBytes: kafka['max.partition.fetch.bytes'] },
              ],
            },
          ],
        })
        return new FetchedBatch(topic, String(offset), responses[0].partitions[0])
      } catch (error) {
        if (isOutOfRange(error)) return { earliest: await this.#earliest(topic, partition) }
        if (attempt === ATTEMPTS || !isRetriable(error))
          throw kafkaError(error, `to read ${topic}-${partition}`, brokersOf(kafka).join(','))
        await sleep(kafka['retry.backoff.ms'] * attempt)
        // The partition may have another leader by now.
        await this.#cluster.refreshMetadata().catch(() => undefined)
      }
    }
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
