import type { KafkaMessage } from 'kafkajs'
import { isSurprisalError, messageOf } from '../../../src/core/errors.ts'
import type { RecordEnvelope, RejectedRecord } from '../../../src/core/ports.ts'
import { type Column, cell, type RecordBatch } from '../../../src/core/record.ts'
import type { KafkaRecordOptions } from '../options.ts'
import { placeOf, timeOf } from '../wire/fetched-record.ts'
import { ColumnBuilder } from './column-builder.ts'
import { eventTimeReader, pathReader } from './fields.ts'
import { FlatDecoder } from './flat-columns.ts'

export interface DecodedSlice {
  readonly batch: RecordBatch
  readonly rejected: readonly RejectedRecord[]
  readonly envelope: (row: number) => RecordEnvelope
}

/** Bytes of one message → its value, or an error that says what is wrong with it. */
export interface ValueDecoder {
  (topic: string, value: Buffer): unknown | Promise<unknown>
  /** The bytes are the text of one JSON object. */
  readonly plainJson?: true
}

/**
 * Turns messages into columns, each record by itself: one that cannot be decoded is rejected with its reason and
 * its original bytes, and costs its neighbours nothing. Throws only what is retryable.
 */
export class RecordDecoder {
  private readonly options: KafkaRecordOptions
  private readonly decodeValue: ValueDecoder
  private readonly columns: ColumnBuilder
  private readonly flat: FlatDecoder | undefined
  /** Fields that are read for the time and the entity of a record. */
  private readonly wanted: readonly string[]
  private readonly ownTime: (value: unknown) => number
  private readonly entityOf: ((value: unknown) => unknown) | undefined

  constructor(options: KafkaRecordOptions, decodeValue: ValueDecoder) {
    const { event_time: time, entity } = options
    this.options = options
    this.decodeValue = decodeValue
    this.columns = new ColumnBuilder(options.fields)
    this.ownTime = time.field === undefined ? () => Number.NaN : eventTimeReader(time.field, time.unit)
    this.entityOf = typeof entity === 'object' ? pathReader(entity.field) : undefined
    const named = [time.field, typeof entity === 'object' ? entity.field : undefined]
    this.wanted = named.filter((field) => field !== undefined)
    if (decodeValue.plainJson)
      this.flat = new FlatDecoder(this.columns, this.wanted, options.max_record_bytes)
  }

  async decode(topic: string, partition: number, messages: readonly KafkaMessage[]): Promise<DecodedSlice> {
    const flat = this.flat?.read(messages)
    if (flat !== undefined) {
      const { columns, others } = flat
      const column = (field: string) => columns.get(field) ?? others.get(field)
      const read = this.wanted.map((field): [string, Column | undefined] => [field, column(field)])
      const recordAt = (row: number) =>
        Object.fromEntries(read.map(([field, own]) => [field, own && cell(own, row)]))
      const none = read.length === 0
      return this.slice(topic, partition, messages, columns, none ? () => undefined : recordAt, [])
    }
    const prefix = `${topic}-${partition}`
    const kept: KafkaMessage[] = []
    const values: unknown[] = []
    const rejected: RejectedRecord[] = []
    for (const message of messages) {
      try {
        // Decoders of plain JSON answer at once; those that ask a registry answer with a promise.
        const value = this.decodeOne(topic, message)
        values.push(value instanceof Promise ? await value : value)
        kept.push(message)
      } catch (error) {
        // A schema registry that is down says nothing about the record.
        if (isSurprisalError(error) && error.retryable) throw error
        rejected.push(reject(prefix, message, error))
      }
    }
    this.flat?.learn(values[0])
    return this.slice(topic, partition, kept, this.columns.build(values), (row) => values[row], rejected)
  }

  private slice(
    topic: string,
    partition: number,
    kept: readonly KafkaMessage[],
    columns: Map<string, Column>,
    recordAt: (row: number) => unknown,
    rejected: readonly RejectedRecord[],
  ): DecodedSlice {
    const rows = kept.length
    const offsets = new Float64Array(rows)
    const eventTime = new Float64Array(rows)
    for (let row = 0; row < rows; row++) {
      offsets[row] = placeOf(kept[row])
      const own = this.ownTime(recordAt(row))
      eventTime[row] = Number.isNaN(own) ? timestampOf(kept[row]) : own
    }
    return {
      batch: {
        rows,
        columns,
        origin: { prefix: `${topic}-${partition}`, offsets, topic, partition },
        eventTime,
        ...(this.options.entity !== undefined && { entity: this.entities(kept, recordAt) }),
      },
      rejected,
      envelope: (row) => new Envelope(kept[row]),
    }
  }

  private decodeOne(topic: string, { value }: KafkaMessage): unknown {
    const { max_record_bytes: limit } = this.options
    if (value === null) throw new Error('the value is null (a tombstone)')
    if (value.length > limit) throw new Error(`${value.length} bytes are over max_record_bytes ${limit}`)
    return this.decodeValue(topic, value)
  }

  private entities(messages: readonly KafkaMessage[], recordAt: (row: number) => unknown): (string | null)[] {
    if (this.entityOf === undefined) return messages.map(({ key }) => key?.toString('utf8') ?? null)
    return messages.map((_, row) => {
      const entity = this.entityOf!(recordAt(row))
      return entity === null || entity === undefined || typeof entity === 'object' ? null : String(entity)
    })
  }
}

/** −1 is Kafka's "no timestamp". */
function timestampOf(message: KafkaMessage): number {
  const ms = timeOf(message)
  return ms === -1 ? Number.NaN : ms
}

/** Takes of a message what it is asked for. */
class Envelope implements RecordEnvelope {
  private readonly message: KafkaMessage

  constructor(message: KafkaMessage) {
    this.message = message
  }
  get key(): Buffer | null {
    return this.message.key
  }
  get value(): Buffer | null {
    return this.message.value
  }
  get timestamp(): number {
    return timeOf(this.message)
  }
  get headers(): RecordEnvelope['headers'] {
    return this.message.headers ?? {}
  }
}

function reject(prefix: string, message: KafkaMessage, cause: unknown): RejectedRecord {
  const offset = placeOf(message)
  const { key, value, timestamp, headers } = new Envelope(message)
  const reason = messageOf(cause)
  return { id: `${prefix}-${offset}`, reason, cause, offset, timestamp, key, value, headers }
}
