import type { KafkaMessage } from 'kafkajs'
import { placeOf, sizeOf } from '../wire/fetched-record.ts'

/** Bytes of a message beside its key and value. */
const OVERHEAD = 100

/** Messages of one fetch; `next` is the offset after it, beyond control records that nobody sees. */
interface Chunk {
  readonly messages: readonly KafkaMessage[]
  next: number
  taken: number
}

/** A run of messages that one delivery carries; settled once. */
export interface Slice {
  readonly messages: readonly KafkaMessage[]
  readonly first: number
  /** The offset that a commit of this slice names: that of the next message. */
  readonly next: number
  readonly revoked: AbortSignal
  acked: boolean
}

/**
 * What one process holds of one partition: fetched messages that wait, slices in flight, and how far everything
 * is acknowledged without a gap. Revocation and rewinding end the slices in flight by their signal.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Waiting, not yet sliced. */
  records = 0
  bytes = 0
  /** Offset after the last message of the partition, as the last fetch saw it. */
  highWatermark = 0
  /** Where a fetch beyond a gap was answered by a seek already. */
  gapAt = -1
  private chunks: Chunk[] = []
  private flight: Slice[] = []
  private revocation = new AbortController()
  private start: number

  /** @param start the first offset to come, committed or chosen. */
  constructor(topic: string, partition: number, start: number) {
    this.topic = topic
    this.partition = partition
    this.start = start
  }

  get prefix(): string {
    return `${this.topic}-${this.partition}`
  }
  get inFlight(): number {
    return this.flight.length
  }
  /** Every earlier offset is acknowledged. */
  get watermark(): number {
    return this.start
  }
  /** The offset to fetch from after a rebalance that left the partition here. */
  get position(): number {
    return this.chunks.at(-1)?.next ?? this.flight.at(-1)?.next ?? this.start
  }
  get lag(): number {
    return Math.max(0, this.highWatermark - this.start)
  }

  /**
   * Takes what a fetch from offset `fetched` brought, up to before `next`. False where it lies beyond a gap, as a
   * fetch that was under way when the position moved back may: the caller then seeks to `position`.
   */
  push(fetched: number, messages: readonly KafkaMessage[], next: number): boolean {
    const { position } = this
    if (fetched > position) return false
    const old = messages.length > 0 && placeOf(messages[0]) < position
    const fresh = old ? messages.filter((message) => placeOf(message) >= position) : messages
    if (fresh.length === 0) {
      this.skip(next)
      return true
    }
    this.chunks.push({ messages: fresh, next, taken: 0 })
    this.records += fresh.length
    for (const message of fresh) this.bytes += OVERHEAD + sizeOf(message)
    return true
  }

  /** Nothing to deliver before `next`: control records, aborted transactions, compaction or retention. */
  skip(next: number): void {
    if (next <= this.position) return
    const last = this.chunks.at(-1)
    if (last !== undefined) {
      last.next = next
    } else {
      const { signal } = this.revocation
      this.flight.push({ messages: [], first: this.position, next, revoked: signal, acked: true })
      this.settle()
    }
  }

  /** The next slice of at most `limit` messages, of as many fetches as it takes; undefined where none waits. */
  take(limit: number): Slice | undefined {
    const messages: KafkaMessage[] = []
    let next = this.start
    for (let chunk = this.chunks[0]; chunk !== undefined && messages.length < limit; chunk = this.chunks[0]) {
      const end = Math.min(chunk.messages.length, chunk.taken + limit - messages.length)
      for (; chunk.taken < end; chunk.taken++) {
        const message = chunk.messages[chunk.taken]
        this.bytes -= OVERHEAD + sizeOf(message)
        messages.push(message)
      }
      const ended = end === chunk.messages.length
      if (ended) this.chunks.shift()
      next = ended ? chunk.next : placeOf(messages.at(-1)!) + 1
    }
    if (messages.length === 0) return undefined
    this.records -= messages.length
    const first = placeOf(messages[0])
    const slice: Slice = { messages, first, next, revoked: this.revocation.signal, acked: false }
    this.flight.push(slice)
    return slice
  }

  /** Marks a slice; true where the watermark moved, which it never does past a gap. */
  acknowledge(slice: Slice): boolean {
    slice.acked = true
    return !slice.revoked.aborted && this.settle()
  }

  private settle(): boolean {
    const before = this.start
    while (this.flight[0]?.acked) this.start = this.flight.shift()!.next
    return this.start !== before
  }

  /** Forgets what is unacknowledged; it is to be fetched again from the watermark. */
  rewind(reason: string): void {
    this.revocation.abort(new Error(reason))
    this.revocation = new AbortController()
    this.chunks = []
    this.flight = []
    this.records = 0
    this.bytes = 0
  }
}
