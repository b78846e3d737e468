import type { Admin, Kafka, Producer, Transaction } from 'kafkajs'
import { messageOf, SurprisalError } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/telemetry.ts'
import { retryOf } from '../client.ts'
import { withKnownCoordinators } from '../cluster.ts'
import { isFenced } from '../errors.ts'
import type { KafkaOptions } from '../options.ts'
import { keyPartitioner } from './key-partitioner.ts'

export interface CommittedSlice {
  readonly topic: string
  readonly partition: number
  readonly next: number
  readonly revoked: AbortSignal
}

/** A transaction that begins while the broker still ends the one before is refused, for a few milliseconds. */
const ENDING = { initialRetryTime: 10, retries: 13 }

/**
 * One transactional producer per input partition, `<group>.<topic>.<partition>`. This client's offset commits in a
 * transaction carry no group generation, so a process that lost a partition without noticing is kept out by the
 * producer epoch alone: who is assigned a partition takes its producer first and reads the committed offset after.
 */
export class PartitionTransactions implements AsyncDisposable {
  private readonly kafka: Kafka
  private readonly groupId: string
  private readonly options: KafkaOptions
  private readonly admin: Admin
  private readonly logger: Logger
  private readonly producers = new Map<string, Producer>()
  private readonly claims = new Map<string, Promise<void>>()
  private ended = false

  constructor(kafka: Kafka, groupId: string, options: KafkaOptions, admin: Admin, logger: Logger) {
    this.kafka = withKnownCoordinators(kafka)
    this.groupId = groupId
    this.options = options
    this.admin = admin
    this.logger = logger
  }

  /** Fences whoever wrote for this partition before, and ends the transaction that was left open. */
  claim(topic: string, partition: number): Promise<void> {
    const id = `${this.groupId}.${topic}.${partition}`
    // Rebalances that follow each other closely claim a partition twice: a producer that another took the place of
    // unseen would keep its connection for ever.
    const before = this.claims.get(id) ?? Promise.resolve()
    const claim = before.catch(() => undefined).then(() => this.take(id))
    this.claims.set(id, claim)
    return claim
  }

  private async take(id: string): Promise<void> {
    await this.producers.get(id)?.disconnect()
    if (this.ended) return
    const producer = this.kafka.producer({
      createPartitioner: keyPartitioner,
      transactionalId: id,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: this.options['transaction.timeout.ms'],
      allowAutoTopicCreation: true,
      retry: { ...retryOf(this.options), ...ENDING },
    })
    this.producers.set(id, producer)
    try {
      await producer.connect()
      // An empty transaction: all that reaches the broker is the request for a new epoch.
      if (!this.ended) await (await producer.transaction()).abort()
    } finally {
      // The end came meanwhile, and retries of the client have connected again since.
      if (this.ended) await producer.disconnect()
    }
  }

  /** Runs `write` and the commit of the slice's offset in one transaction. */
  async run(slice: CommittedSlice, write: (transaction: Transaction) => Promise<void>): Promise<void> {
    const { topic, partition, next, revoked } = slice
    const producer = this.producers.get(`${this.groupId}.${topic}.${partition}`)
    if (producer === undefined)
      throw new SurprisalError('INTERNAL', `no producer was claimed for ${topic}-${partition}`)
    let committing = false
    try {
      const transaction = await producer.transaction()
      try {
        await write(transaction)
        await transaction.sendOffsets({
          consumerGroupId: this.groupId,
          topics: [{ topic, partitions: [{ partition, offset: String(next) }] }],
        })
        revoked.throwIfAborted()
        committing = true
        await transaction.commit()
      } catch (error) {
        if (!committing) await transaction.abort()
        throw error
      }
    } catch (error) {
      if (revoked.aborted || isFenced(error)) throw error
      this.logger.warn({ topic, partition, error: messageOf(error) }, 'a transaction failed')
      // What the broker kept of a failed attempt is unknown: only a new epoch makes that certain again.
      await this.claim(topic, partition)
      // The answer to a commit may be lost after it took effect.
      if (committing && (await this.committed(topic, partition)) >= next) return
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended = true
    await Promise.allSettled([...this.producers.values()].map((producer) => producer.disconnect()))
    this.producers.clear()
  }

  private async committed(topic: string, partition: number): Promise<number> {
    const [{ partitions }] = await this.admin.fetchOffsets({ groupId: this.groupId, topics: [topic] })
    return Number(partitions.find((p) => p.partition === partition)?.offset ?? -1)
  }
}
