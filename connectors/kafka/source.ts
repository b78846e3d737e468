import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from 'kafkajs'
import { messageOf, type SurprisalError } from '../../src/core/errors.ts'
import type { Delivery, Source } from '../../src/core/ports.ts'
import type { RecordBatch } from '../../src/core/record.ts'
import type { Logger } from '../../src/core/telemetry.ts'
import { brokersOf, type KafkaClient, kafkaClient } from './client.ts'
import { KafkaDelivery } from './consume/delivery.ts'
import type { PartitionQueue, Slice } from './consume/partition-queue.ts'
import { KafkaSession } from './consume/session.ts'
import { SliceSize } from './consume/slice-size.ts'
import { furtherTopics, matchingTopics, sourceError } from './consume/topics.ts'
import { isFenced } from './errors.ts'
import type { KafkaOptions, KafkaSourceOptions } from './options.ts'
import type { TopicReplay } from './replay.ts'
import type { DecodedSlice, RecordDecoder } from './values/record-decoder.ts'

/** How long the end of what is being worked on is waited for before the group is joined again. */
const REST_MS = 10_000

export interface KafkaSourceParts {
  readonly kafka: KafkaOptions
  readonly groupId: string
  readonly options: KafkaSourceOptions
  readonly decoder: RecordDecoder
  readonly logger: Logger
  /** Reads records again. */
  readonly replay?: TopicReplay
  /** Deliveries can be written and committed in one transaction of this Kafka cluster. */
  readonly exactlyOnce?: boolean
}

/**
 * Topics of a consumer group, at least once. Slices of one partition come in order; a slice is committed after its
 * acknowledgement and never past a gap; on revocation, `delivery.revoked` fires and nothing more is committed.
 * Unreachable brokers and lost connections are waited out with a log line; a refusal (credentials, ACLs) ends the
 * deliveries with SERVICE_REFUSED.
 */
export class KafkaSource implements Source {
  readonly name: string
  private readonly parts: KafkaSourceParts
  private readonly client: KafkaClient
  private readonly brokers: string
  private readonly slices: SliceSize
  private session: KafkaSession | undefined
  private state = 'not started'
  private failure: SurprisalError | undefined
  private wake: () => void = () => {}
  private restarting: Promise<void> | undefined
  private readonly ending = new AbortController()
  private turn = 0
  /** Hands out nothing, so that what is being worked on comes to its end. */
  private resting = false

  constructor(parts: KafkaSourceParts) {
    const { options, kafka, logger } = parts
    this.parts = parts
    this.name = `kafka ${options.topics?.join(', ') ?? `/${options.pattern}/`}`
    this.client = kafkaClient(kafka, logger)
    this.brokers = brokersOf(kafka).join(',')
    this.slices = new SliceSize(options.latency_target_ms, options.max_slice_records)
  }

  /** Null once the group is joined and the partitions are known; else what it waits for. */
  unready(): string | null {
    return this.session?.joined ? null : this.state
  }

  lags(): readonly { readonly topic: string; readonly partition: number; readonly lag: number }[] {
    return [...(this.session?.queues.values() ?? [])]
  }

  async *before(
    place: { readonly topic: string; readonly partition: number; readonly offset: number },
    records: number,
    signal: AbortSignal,
  ): AsyncGenerator<RecordBatch> {
    if (this.parts.replay !== undefined) yield* this.parts.replay.before(place, records, signal)
  }

  async open(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true })
    await this.connect(AbortSignal.any([signal, this.ending.signal]))
    if (this.failure !== undefined) throw this.failure
  }

  async *deliveries(signal: AbortSignal): AsyncGenerator<Delivery> {
    const stop = AbortSignal.any([signal, this.ending.signal])
    const woken = () => this.wake()
    stop.addEventListener('abort', woken)
    try {
      while (!stop.aborted) {
        if (this.failure !== undefined) throw this.failure
        const next = this.take()
        if (next !== undefined) {
          const delivery = await this.deliver(next.queue, next.slice)
          if (delivery !== undefined) yield delivery
          continue
        }
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
      }
    } finally {
      stop.removeEventListener('abort', woken)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort()
    await this.restarting
    await this.session?.close()
    this.session = undefined
    this.client[Symbol.dispose]()
    this.state = 'stopped'
  }

  /** Partitions take turns, so that one with a backlog does not hold up the others. */
  private take(): { queue: PartitionQueue; slice: Slice } | undefined {
    if (this.resting) return undefined
    const queues = [...(this.session?.queues.values() ?? [])]
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[(this.turn + i) % queues.length]
      const slice = queue.take(this.slices.of(queue.records))
      if (slice === undefined) continue
      this.turn = (this.turn + i + 1) % queues.length
      this.session!.makeRoom()
      return { queue, slice }
    }
    return undefined
  }

  private async deliver(queue: PartitionQueue, slice: Slice): Promise<Delivery | undefined> {
    const session = this.session!
    const decoded = await this.decode(queue, slice)
    if (decoded === undefined) return undefined
    const { transactions } = session
    const done = () => {
      this.slices.observe(slice.messages.length, queue.records > 0, performance.now())
      return queue.acknowledge(slice)
    }
    return new KafkaDelivery(slice, decoded, {
      acknowledge: async () => {
        if (done()) await session.committer.commit(queue)
      },
      reject: async (cause) => session.rewind(queue, `not acknowledged: ${messageOf(cause)}`),
      ...(transactions !== undefined && {
        transact: async (write: (transaction: Transaction) => Promise<void>) => {
          try {
            const { topic, partition } = queue
            await transactions.run({ topic, partition, next: slice.next, revoked: slice.revoked }, write)
          } catch (error) {
            // Another process owns the partition: what this one holds of it is void.
            if (isFenced(error)) session.crash(error as Error)
            throw error
          }
          done()
        },
      }),
    })
  }

  /** Waits while the schema registry does not answer; undefined where the partition went away meanwhile. */
  private async decode(queue: PartitionQueue, slice: Slice): Promise<DecodedSlice | undefined> {
    const gone = AbortSignal.any([slice.revoked, this.ending.signal])
    while (!gone.aborted) {
      try {
        return await this.parts.decoder.decode(queue.topic, queue.partition, slice.messages)
      } catch (error) {
        this.parts.logger.warn({ error: messageOf(error) }, 'records cannot be decoded now, trying again')
        await sleep(1000, undefined, { signal: gone }).catch(() => undefined)
      }
    }
    return undefined
  }

  private async connect(signal: AbortSignal): Promise<void> {
    const { groupId, logger, options } = this.parts
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 10_000)) {
      this.state = `connecting to Kafka at ${this.brokers}`
      const session: KafkaSession = new KafkaSession({
        ...this.parts,
        client: this.client.another(),
        exactlyOnce: this.parts.exactlyOnce ?? false,
        events: {
          available: () => this.wake(),
          crashed: (error) => this.restart(session, error, signal),
        },
      })
      try {
        const topics = await matchingTopics(this.client, options)
        this.session = session
        await session.open(topics)
        this.state = `joining consumer group ${groupId}`
        if (options.pattern !== undefined) this.watchTopics(session, topics, signal)
        return
      } catch (error) {
        await session.close()
        if (this.session === session) this.session = undefined
        const known = sourceError(error, 'to open the source', this.brokers, options)
        if (known.code === 'SERVICE_REFUSED') {
          this.failure = known
          return
        }
        this.state = known.message
        logger.warn({ error: known.message, retry_in_ms: wait }, 'Kafka source waits')
      }
      await sleep(wait, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Joins the group again once further topics match the pattern, when what is being worked on is done. */
  private async watchTopics(session: KafkaSession, topics: readonly string[], signal: AbortSignal) {
    const { options, logger } = this.parts
    const age = this.parts.kafka['metadata.max.age.ms']
    const gone = () => signal.aborted || this.session !== session || this.restarting !== undefined
    const pause = (milliseconds: number) => sleep(milliseconds, undefined, { signal }).catch(() => undefined)
    const more = await furtherTopics(this.client, options, topics, () => pause(age), gone)
    if (gone()) return
    logger.info({ topics: more }, 'further topics match source.pattern: joining the group again')
    this.resting = true
    const deadline = performance.now() + REST_MS
    while (!gone() && !session.idle && performance.now() < deadline) await pause(20)
    this.resting = false
    if (!gone()) this.replace(session, signal)
  }

  private restart(session: KafkaSession, error: Error, signal: AbortSignal): void {
    if (this.session !== session || this.restarting !== undefined) return
    const known = sourceError(error, 'while consuming', this.brokers, this.parts.options)
    this.parts.logger.warn({ error: known.message }, 'Kafka source lost its connection, starting again')
    this.state = known.message
    if (known.code === 'SERVICE_REFUSED') this.failure = known
    this.replace(session, signal)
  }

  private replace(session: KafkaSession, signal: AbortSignal): void {
    this.restarting = (async () => {
      await session.close()
      this.session = undefined
      if (this.failure === undefined) await this.connect(signal)
    })().finally(() => {
      this.restarting = undefined
      this.wake()
    })
  }
}
