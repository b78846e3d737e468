import { codecOf } from './codecs.ts'
import { type BatchContext, type FetchedMessage, FetchedRecord } from './fetched-record.ts'
import { readRecords } from './records-reader.ts'

/** What kafkajs reads responses with. */
interface Decoder {
  readonly buffer: Buffer
  offset: number
  readInt32(): number
  canReadBytes(count: number): boolean
}
export type FetchDecoder = (decoder: Decoder) => Promise<readonly FetchedMessage[]>

const MAGIC_AT = 16
const HEADER = 61
const AFTER_LENGTH = 12
const NOTHING = Buffer.alloc(0)
const LAST_DELTA_AT = 23
const CODEC = 0x07
const APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** The records of one partition of a fetch response; older message formats are left to `before`. */
export function fetchedRecords(before: FetchDecoder): FetchDecoder {
  return async (decoder) => {
    const { buffer, offset } = decoder
    const from = offset + 4
    const size = buffer.readInt32BE(offset)
    if (size <= MAGIC_AT || from + size > buffer.length || buffer[from + MAGIC_AT] !== 2)
      return before(decoder)
    decoder.offset = from + size
    return decodeBatches(buffer.subarray(from, from + size))
  }
}

/** Record batches of message format 2 (KIP-98); a fetch may end in the middle of one, which comes again. */
async function decodeBatches(bytes: Buffer): Promise<FetchedRecord[]> {
  const messages: FetchedRecord[] = []
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const next = at + AFTER_LENGTH + bytes.readInt32BE(at + 8)
    if (next > bytes.length) break
    const attributes = bytes.readInt16BE(at + 21)
    const context: BatchContext = {
      firstOffset: Number(bytes.readBigInt64BE(at)),
      firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
      maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
      appendTime: (attributes & APPEND_TIME) > 0,
      producerId: bytes.readBigInt64BE(at + 43).toString(),
      inTransaction: (attributes & TRANSACTIONAL) > 0,
      isControlBatch: (attributes & CONTROL) > 0,
    }
    const codec = codecOf(attributes & CODEC)
    const records = bytes.subarray(at + HEADER, next)
    const plain = codec === undefined || records.length === 0 ? records : await codec.decompress(records)
    const before = messages.length
    readRecords(plain, bytes.readInt32BE(at + 57), context, messages)
    const last = messages.length === before ? undefined : messages[messages.length - 1]
    const end = bytes.readInt32BE(at + LAST_DELTA_AT)
    if (last === undefined || last.place < context.firstOffset + end) messages.push(endMark(context, end))
    at = next
  }
  return messages
}

/**
 * Stands, as a control record does, where compaction took the last records of a batch: without it the client asks for
 * one missing offset after the other, and again and again for a batch of which nothing is left.
 */
function endMark(context: BatchContext, offsetDelta: number): FetchedRecord {
  const mark: BatchContext = { ...context, producerId: '-1', inTransaction: false, isControlBatch: true }
  return new FetchedRecord(mark, NOTHING, 0, offsetDelta, 0, 0, -1, 0, -1, {})
}
