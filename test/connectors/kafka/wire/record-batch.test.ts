import { createRequire } from 'node:module'
import fc from 'fast-check'
import type { IHeaders, Message } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { codecOf } from '../../../../connectors/kafka/wire/codecs.ts'
import { encodedProduce, type ProduceProtocol } from '../../../../connectors/kafka/wire/encoded-produce.ts'
import type { FetchedRecord } from '../../../../connectors/kafka/wire/fetched-record.ts'
import { type FetchDecoder, fetchedRecords } from '../../../../connectors/kafka/wire/fetched-records.ts'
import { FetchedBatch } from '../../../../connectors/kafka/wire/kafkajs.ts'
import { type BatchFields, recordBatch } from '../../../../connectors/kafka/wire/record-batch.ts'
import { wholeRequest } from '../../../../connectors/kafka/wire/whole-request.ts'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder')
const Encoder = require('kafkajs/src/protocol/encoder')
const theirRequest = require('kafkajs/src/protocol/request')
/** The client's own, which is right and slow. */
const theirDecoder: FetchDecoder = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
const produce: ProduceProtocol = require('kafkajs/src/protocol/requests/produce')
const ourDecoder = fetchedRecords(theirDecoder)

const bytes = fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b))
/** Not the names that every object inherits: the client takes those for headers that came before. */
const headers = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 8 }).filter((name) => !(name in Object.prototype)),
  fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 })),
  { maxKeys: 3 },
)
const message = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.option(headers, { nil: undefined }),
  timestamp: fc.integer({ min: 0, max: 1e13 }).map(String),
})
const messages = fc.array(message, { minLength: 1, maxLength: 40 }) as fc.Arbitrary<Message[]>

const PLAIN: BatchFields = {
  producerId: 4711n,
  producerEpoch: 3,
  firstSequence: 9,
  transactional: true,
  codec: 0,
}

/** As the records of one partition stand in a fetch response. */
function fetched(...batches: Buffer[]) {
  const all = Buffer.concat(batches)
  const size = Buffer.alloc(4)
  size.writeInt32BE(all.length)
  return new Decoder(Buffer.concat([size, all]))
}
const contents = (
  list: readonly { key?: unknown; value: unknown; headers?: IHeaders; timestamp?: string }[],
) =>
  list.map(({ key, value, headers = {}, timestamp }) => ({ key, value, headers: { ...headers }, timestamp }))

describe('record batches', () => {
  it('are read by the client as they were meant', async () => {
    await fc.assert(
      fc.asyncProperty(messages, async (sent) => {
        const read = await theirDecoder(fetched(await recordBatch(sent, PLAIN)))
        expect(contents(read)).toEqual(contents(sent))
        expect(read.map(({ offset }) => Number(offset))).toEqual(sent.map((_, i) => i))
        expect(read[0].batchContext).toMatchObject({ inTransaction: true, isControlBatch: false })
        expect(String(read[0].batchContext.producerId)).toBe('4711')
      }),
      { numRuns: 50 },
    )
  })

  it.each([0, 1, 2, 3])('come back whole, and without one that was cut off (codec %i)', async (codec) => {
    const compress = (buffer: Buffer) => codecOf(codec)!.compress({ buffer })
    const fields = { ...PLAIN, codec, ...(codec > 0 && { compress }) }
    await fc.assert(
      fc.asyncProperty(messages, messages, async (first, second) => {
        const [a, b] = [await recordBatch(first, fields), await recordBatch(second, fields)]
        const decoder = fetched(a, b, b.subarray(0, b.length - 1))
        expect(contents(await ourDecoder(decoder))).toEqual(contents([...first, ...second]))
        expect(decoder.offset).toBe(decoder.buffer.length)
      }),
      { numRuns: 30 },
    )
  })

  it('hold text as UTF-8, and numbers as large as they come', async () => {
    const value = `ü${'€'.repeat(200)}😀`
    const sent = [
      { value, key: 'k', timestamp: '-62135596800001' },
      { value: 'x'.repeat(100_000), timestamp: '9007199254740991' },
    ]
    const read = await theirDecoder(fetched(await recordBatch(sent, PLAIN)))
    expect(read.map((one) => String(one.value))).toEqual(sent.map((one) => one.value))
    expect(read.map(({ timestamp }) => timestamp)).toEqual(sent.map(({ timestamp }) => timestamp))
  })

  it('keep headers by names that every object inherits, which the client confuses', async () => {
    const named: IHeaders = Object.fromEntries([
      ['valueOf', [Buffer.from('a'), Buffer.from('b')]],
      ['constructor', Buffer.from('c')],
      ['__proto__', Buffer.from('d')],
    ])
    const [{ headers: read }] = await ourDecoder(
      fetched(await recordBatch([{ value: 'x', headers: named }], PLAIN)),
    )
    expect(Object.entries(read ?? {})).toEqual(Object.entries(named))
  })

  it('are refused when cut inside a record or compressed by nobody knows what', async () => {
    const batch = await recordBatch([{ value: 'x'.repeat(100) }], PLAIN)
    const lying = Buffer.from(batch)
    lying.writeInt32BE(5, 57)
    await expect(ourDecoder(fetched(lying))).rejects.toThrow(/ends in the middle/)
    const foreign = Buffer.from(batch)
    foreign.writeInt16BE(7, 21)
    await expect(ourDecoder(fetched(foreign))).rejects.toThrow(/unknown codec, number 7/)
  })

  it('end where they ended before compaction, by a mark that is no record', async () => {
    const whole = await recordBatch([{ value: 'a' }, { value: 'b' }, { value: 'c' }], PLAIN)
    const compacted = Buffer.from(whole)
    compacted.writeInt32BE(9, 23)
    const nothingLeft = Buffer.from(compacted.subarray(0, 61))
    nothingLeft.writeInt32BE(61 - 12, 8)
    nothingLeft.writeInt32BE(0, 57)
    const read = (await ourDecoder(fetched(whole, compacted, nothingLeft))) as readonly FetchedRecord[]
    expect(read.map(({ place, isControlRecord }) => (isControlRecord ? `mark ${place}` : place))).toEqual([
      ...[0, 1, 2],
      ...[0, 1, 2, 'mark 9'],
      'mark 9',
    ])
    for (const bytes of [compacted, nothingLeft]) {
      const messages = await ourDecoder(fetched(bytes))
      const batch = new FetchedBatch('t', '5', { partition: 0, messages })
      expect(batch.messages).toEqual([])
      expect(batch.lastOffset()).toBe('9')
    }
  })

  it('take more records than a call takes arguments', async () => {
    const many = Array.from({ length: 300_000 }, () => ({ value: null }))
    expect(await ourDecoder(fetched(await recordBatch(many, PLAIN)))).toHaveLength(300_000)
  })
})

describe('produce requests', () => {
  it('are the client’s own, byte for byte, where it orders times rightly: it compares them as text', async () => {
    const timed = messages.map((sent) => sent.map((one, i) => ({ ...one, timestamp: String(1e12 + i) })))
    await fc.assert(
      fc.asyncProperty(timed, fc.constantFrom(null, 'a-transaction'), async (sent, transactionalId) => {
        const partitions = [{ partition: 2, messages: sent, firstSequence: 5 }]
        const args = {
          acks: -1,
          timeout: 100,
          transactionalId,
          topicData: [{ topic: 'täglich', partitions }],
        }
        const { buffer } = await encodedProduce(produce).protocol({ version: 7 })(args).request.encode()
        const theirs = await produce.protocol({ version: 7 })(args).request.encode()
        expect(new Encoder().writeEncoder({ buf: buffer, buffer }).buffer.equals(theirs.buffer)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('go out with the client’s own header', async () => {
    const args = {
      acks: 1,
      timeout: 100,
      topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'x', timestamp: '5' }] }] }],
    }
    for (const protocol of [encodedProduce(produce), produce]) {
      const { request } = protocol.protocol({ version: 7 })(args)
      const whole = { correlationId: 77, clientId: 'größe', request }
      const { buffer } = await wholeRequest(whole as unknown as Parameters<typeof wholeRequest>[0])
      expect(buffer.equals((await theirRequest(whole)).buffer)).toBe(true)
    }
  })
})
