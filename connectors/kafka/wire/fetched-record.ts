import type { IHeaders, KafkaMessage } from 'kafkajs'

/** What the records of one batch share. */
export interface BatchContext {
  readonly firstOffset: number
  readonly firstTimestamp: number
  readonly maxTimestamp: number
  readonly appendTime: boolean
  /** As kafkajs compares it with those of aborted transactions. */
  readonly producerId: string
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
}
/** The client’s message, and what it asks of it when transactions were aborted. */
export interface FetchedMessage {
  readonly attributes: number
  readonly timestamp: string
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: IHeaders
  readonly isControlRecord: boolean
  readonly batchContext: BatchContext
}

/**
 * A message that holds where its parts lie in what was fetched, and makes of them what is asked for: thousands wait in a
 * queue at a time, most keys and times are never looked at, and buffers and texts are what the collector has to move.
 */
export class FetchedRecord implements FetchedMessage {
  readonly attributes: number
  readonly headers: IHeaders
  readonly batchContext: BatchContext
  /** What the parts lie in. */
  readonly bytes: Buffer
  readonly valueAt: number
  readonly valueSize: number
  private readonly offsetDelta: number
  private readonly timeDelta: number
  private readonly keyAt: number
  private readonly keySize: number

  /** Sizes of −1 stand for null. */
  constructor(
    batchContext: BatchContext,
    bytes: Buffer,
    attributes: number,
    offsetDelta: number,
    timeDelta: number,
    keyAt: number,
    keySize: number,
    valueAt: number,
    valueSize: number,
    headers: IHeaders,
  ) {
    this.attributes = attributes
    this.headers = headers
    this.batchContext = batchContext
    this.bytes = bytes
    this.offsetDelta = offsetDelta
    this.timeDelta = timeDelta
    this.keyAt = keyAt
    this.keySize = keySize
    this.valueAt = valueAt
    this.valueSize = valueSize
  }

  get place(): number {
    return this.batchContext.firstOffset + this.offsetDelta
  }
  get offset(): string {
    return String(this.place)
  }
  /** Milliseconds since the epoch; −1 is Kafka’s "no timestamp". */
  get time(): number {
    const { appendTime, maxTimestamp, firstTimestamp } = this.batchContext
    return appendTime ? maxTimestamp : firstTimestamp + this.timeDelta
  }
  get timestamp(): string {
    return String(this.time)
  }
  get key(): Buffer | null {
    return this.keySize < 0 ? null : this.bytes.subarray(this.keyAt, this.keyAt + this.keySize)
  }
  get value(): Buffer | null {
    return this.valueSize < 0 ? null : this.bytes.subarray(this.valueAt, this.valueAt + this.valueSize)
  }
  /** Bytes of key and value. */
  get contentSize(): number {
    return Math.max(0, this.keySize) + Math.max(0, this.valueSize)
  }
  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch
  }
}

/** A message’s offset. */
export function placeOf(message: KafkaMessage): number {
  return message instanceof FetchedRecord ? message.place : Number(message.offset)
}

/** A message’s timestamp, milliseconds since the epoch. */
export function timeOf(message: KafkaMessage): number {
  return message instanceof FetchedRecord ? message.time : Number(message.timestamp)
}

/** Bytes of a message’s key and value. */
export function sizeOf(message: KafkaMessage): number {
  if (message instanceof FetchedRecord) return message.contentSize
  return (message.value?.length ?? 0) + (message.key?.length ?? 0)
}
