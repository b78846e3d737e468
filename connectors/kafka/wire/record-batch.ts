import type { Message } from 'kafkajs'
import { crc32c } from './crc32c.ts'
import { RecordBytes } from './record-bytes.ts'

export interface BatchFields {
  /** −1 where the producer is not idempotent. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly transactional: boolean
  /** Codec id of the attributes, and what compresses; none where it is 0. */
  readonly codec: number
  readonly compress?: (records: Buffer) => Buffer | Promise<Buffer>
}

const HEADER = 61
const AFTER_LENGTH = 12
const AFTER_CRC = 21
const TRANSACTIONAL = 16
const PROBES = 4
/** What a record takes beside its key and value, without headers. */
const VARINTS = 16

/** Messages as one record batch of Kafka’s message format 2 (KIP-98), in one buffer and without an object a record. */
export async function recordBatch(messages: readonly Message[], fields: BatchFields): Promise<Buffer> {
  const now = Date.now()
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { timestamp } of messages) {
    const time = timestamp === undefined ? now : Number(timestamp)
    if (time < first) first = time
    if (time > last) last = time
  }
  const plain = fields.compress === undefined
  const bytes = new RecordBytes(plain ? HEADER : 0, messages.length * likelySize(messages))
  messages.forEach((message, i) => {
    bytes.add(message, i, (message.timestamp === undefined ? now : Number(message.timestamp)) - first)
  })
  const records = bytes.written()
  const packed = fields.compress === undefined ? undefined : await fields.compress(records)
  const batch = packed === undefined ? records : Buffer.concat([Buffer.alloc(HEADER), packed])
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - AFTER_LENGTH, 8)
  batch.writeInt32BE(0, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(fields.codec | (fields.transactional ? TRANSACTIONAL : 0), AFTER_CRC)
  batch.writeInt32BE(messages.length - 1, 23)
  batch.writeBigInt64BE(BigInt(first), 27)
  batch.writeBigInt64BE(BigInt(last), 35)
  batch.writeBigInt64BE(fields.producerId, 43)
  batch.writeInt16BE(fields.producerEpoch, 51)
  batch.writeInt32BE(fields.firstSequence, 53)
  batch.writeInt32BE(messages.length, 57)
  batch.writeUInt32BE(crc32c(batch, AFTER_CRC), 17)
  return batch
}

/** Messages of one batch are much alike: those from here and there tell how long they are, with a tenth to spare. */
function likelySize(messages: readonly Message[]): number {
  let longest = 0
  for (let i = 0; i < messages.length; i += Math.ceil(messages.length / PROBES)) {
    const { key, value } = messages[i]
    longest = Math.max(longest, (key?.length ?? 0) + (value?.length ?? 0))
  }
  return Math.ceil(1.1 * longest) + VARINTS
}
