import type { Admin, Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import { SurprisalError } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/telemetry.ts'
import { type KafkaClient, retryOf } from '../client.ts'
import { isGroupMoved } from '../errors.ts'
import type { KafkaOptions, KafkaSourceOptions } from '../options.ts'
import { PartitionTransactions } from '../produce/transactions.ts'
import { FetchPace, RESTING } from './fetch-pace.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { PartitionQueue } from './partition-queue.ts'
import { StartOffsets } from './start-offsets.ts'

export interface SessionParts {
  /** Ends with the session. */
  readonly client: KafkaClient
  readonly kafka: KafkaOptions
  readonly groupId: string
  readonly options: KafkaSourceOptions
  readonly exactlyOnce: boolean
  readonly events: SessionEvents
  readonly logger: Logger
}

export interface SessionEvents {
  /** Something waits in a queue. */
  available(): void
  crashed(error: Error): void
}

/** One membership of the consumer group: from joining it to leaving it or crashing. */
export class KafkaSession {
  readonly queues = new Map<string, PartitionQueue>()
  readonly committer: OffsetCommitter
  readonly transactions: PartitionTransactions | undefined
  private readonly client: KafkaClient
  private readonly settings: KafkaOptions
  private readonly consumer: Consumer
  private readonly admin: Admin
  private readonly starts: StartOffsets
  private readonly events: SessionEvents
  private readonly logger: Logger
  private readonly paused = new Set<string>()
  private readonly pace: FetchPace
  private assigned = new Map<string, { topic: string; partition: number }>()
  private generation = 0
  private closing = false
  joined = false

  constructor({ client, kafka, groupId, options, exactlyOnce, events, logger }: SessionParts) {
    this.client = client
    this.settings = kafka
    this.starts = new StartOffsets(groupId, options.start ?? kafka['auto.offset.reset'])
    this.events = events
    this.logger = logger
    this.pace = new FetchPace(options.latency_target_ms / 2)
    this.admin = client.admin()
    if (exactlyOnce) this.transactions = new PartitionTransactions(client, groupId, kafka, this.admin, logger)
    this.consumer = client.consumer({
      groupId,
      sessionTimeout: kafka['session.timeout.ms'],
      heartbeatInterval: kafka['heartbeat.interval.ms'],
      rebalanceTimeout: kafka['max.poll.interval.ms'],
      maxWaitTimeInMs: kafka['fetch.wait.max.ms'],
      minBytes: kafka['fetch.min.bytes'],
      maxBytes: kafka['fetch.max.bytes'],
      maxBytesPerPartition: kafka['max.partition.fetch.bytes'],
      metadataMaxAge: kafka['metadata.max.age.ms'],
      readUncommitted: kafka['isolation.level'] === 'read_uncommitted',
      allowAutoTopicCreation: false,
      ...(kafka['client.rack'] !== undefined && { rackId: kafka['client.rack'] }),
      // A crashed consumer is replaced by a new session, which starts at the committed offsets.
      retry: { ...retryOf(kafka), restartOnFailure: async () => false },
    })
    this.committer = new OffsetCommitter((offsets) => this.consumer.commitOffsets(offsets), logger)
    this.consumer.on(this.consumer.events.FETCH_START, () => this.pace.begin())
    this.consumer.on(this.consumer.events.GROUP_JOIN, (event) => this.onJoin(event))
    this.consumer.on(this.consumer.events.CRASH, ({ payload }) => this.crash(payload.error))
    // Fetches that hold nothing but control records or aborted messages never reach eachBatch.
    this.consumer.on(this.consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0) return
      const queue = this.queues.get(`${payload.topic}-${payload.partition}`)
      if (queue === undefined) return
      queue.highWatermark = Number(payload.highWatermark)
      if (Number(payload.firstOffset) <= queue.position) queue.skip(Number(payload.lastOffset) + 1)
    })
  }

  async open(topics: readonly string[]): Promise<void> {
    await this.admin.connect()
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await this.consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: RESTING,
      eachBatch: async (payload) => {
        this.onBatch(payload)
        await this.pace.rest(payload.batch)
      },
    })
  }

  /** Frees what a slice held: fetching goes on where it was paused for lack of room. */
  makeRoom(): void {
    const room = this.queuedBytes() < this.settings['queued.max.messages.kbytes'] * 512
    for (const name of this.paused) {
      const queue = this.queues.get(name)
      if (queue === undefined || (room && queue.records <= this.settings['queued.min.messages'] / 2)) {
        this.paused.delete(name)
        if (queue !== undefined) this.consumer.resume([{ topic: queue.topic, partitions: [queue.partition] }])
      }
    }
  }

  /** Delivers again from the first unacknowledged record of a partition. */
  rewind(queue: PartitionQueue, reason: string): void {
    if (this.closing || this.queues.get(queue.prefix) !== queue) return
    queue.rewind(reason)
    this.seek(queue)
    this.makeRoom()
  }

  /** Nothing is being worked on, and all that was acknowledged is committed. */
  get idle(): boolean {
    return this.committer.idle && [...this.queues.values()].every(({ inFlight }) => inFlight === 0)
  }

  /** Leaves the group; the last watermarks are committed first where the broker still answers. */
  async close(): Promise<void> {
    if (this.closing) return
    this.closing = true
    this.revokeAll('the consumer stopped')
    this.committer.close()
    await Promise.allSettled([
      this.consumer.disconnect(),
      this.admin.disconnect(),
      this.transactions?.[Symbol.asyncDispose](),
    ])
    this.client[Symbol.dispose]()
  }

  private onJoin({ payload }: ConsumerGroupJoinEvent): void {
    const generation = ++this.generation
    this.assigned = new Map()
    for (const [topic, partitions] of Object.entries(payload.memberAssignment))
      for (const partition of partitions) this.assigned.set(`${topic}-${partition}`, { topic, partition })
    for (const [name, queue] of this.queues) {
      if (this.assigned.has(name)) this.seek(queue)
      else this.revoke(name, queue, 'the partition went to another member of the group')
    }
    const fresh = [...this.assigned.values()].filter((p) => !this.queues.has(`${p.topic}-${p.partition}`))
    this.logger.info(
      { generation, member: payload.memberId, partitions: [...this.assigned.keys()] },
      'joined the group',
    )
    for (const { topic, partition } of fresh) this.consumer.pause([{ topic, partitions: [partition] }])
    this.begin(fresh, generation).catch((error: Error) => {
      // A further rebalance follows, and begins again.
      if (!isGroupMoved(error)) this.crash(error)
    })
  }

  private async begin(fresh: readonly { topic: string; partition: number }[], generation: number) {
    // Before the offsets are read: until then another process may still commit in its transaction.
    const { transactions } = this
    if (transactions !== undefined)
      for (const { topic, partition } of fresh) {
        if (generation !== this.generation || this.closing) return
        await transactions.claim(topic, partition)
      }
    const starts = await this.starts.resolve(this.admin, fresh)
    // Where another rebalance came first, what it left here begins with that one.
    if (generation !== this.generation || this.closing) return
    const first = starts.filter(({ committed }) => !committed)
    if (first.length > 0) await this.consumer.commitOffsets(first.map(({ committed: _, ...rest }) => rest))
    if (generation !== this.generation || this.closing) return
    for (const { topic, partition, offset } of starts) {
      const queue = new PartitionQueue(topic, partition, Number(offset))
      this.queues.set(queue.prefix, queue)
      this.seek(queue)
      this.consumer.resume([{ topic, partitions: [partition] }])
    }
    this.joined = true
  }

  private onBatch({ batch, isStale }: EachBatchPayload): void {
    const queue = this.queues.get(`${batch.topic}-${batch.partition}`)
    if (queue === undefined || isStale() || this.closing) return
    queue.highWatermark = Number(batch.highWatermark)
    const fetched = Number((batch as typeof batch & { fetchedOffset: string }).fetchedOffset)
    const next = Number(batch.lastOffset()) + 1
    if (!queue.push(fetched, batch.messages, next)) {
      if (queue.gapAt !== queue.position) {
        queue.gapAt = queue.position
        this.seek(queue)
        return
      }
      this.logger.error(
        { topic: queue.topic, partition: queue.partition, from: queue.position, to: fetched },
        'records are gone before they were read: the topic’s retention deleted them',
      )
      queue.skip(fetched)
      queue.push(fetched, batch.messages, next)
    }
    const full = this.queuedBytes() > this.settings['queued.max.messages.kbytes'] * 1024
    for (const [name, other] of this.queues) {
      if (this.paused.has(name)) continue
      if (full || other.records >= this.settings['queued.min.messages']) {
        this.paused.add(name)
        this.consumer.pause([{ topic: other.topic, partitions: [other.partition] }])
      }
    }
    this.events.available()
  }

  private seek(queue: PartitionQueue): void {
    this.consumer.seek({ topic: queue.topic, partition: queue.partition, offset: String(queue.position) })
  }

  private queuedBytes(): number {
    let bytes = 0
    for (const queue of this.queues.values()) bytes += queue.bytes
    return bytes
  }

  private revoke(name: string, queue: PartitionQueue, reason: string): void {
    this.queues.delete(name)
    this.paused.delete(name)
    this.committer.drop(queue)
    queue.rewind(reason)
  }

  private revokeAll(reason: string): void {
    for (const [name, queue] of [...this.queues]) this.revoke(name, queue, reason)
  }

  /** Gives up this membership; the source begins another. */
  crash(error: Error): void {
    if (this.closing) return
    this.joined = false
    this.revokeAll('the connection to Kafka was lost')
    this.events.crashed(
      error instanceof Error ? error : new SurprisalError('INTERNAL', `Kafka consumer: ${error}`),
    )
  }
}
