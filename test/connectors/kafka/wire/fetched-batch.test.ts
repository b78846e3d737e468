import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BatchClass, fetchedBatch } from '../../../../connectors/kafka/wire/fetched-batch.ts'
import { type BatchContext, FetchedRecord } from '../../../../connectors/kafka/wire/fetched-record.ts'

const Theirs: BatchClass = createRequire(import.meta.url)('kafkajs/src/consumer/batch')
const Ours = fetchedBatch(Theirs)

const BYTES = Buffer.from('key value')
const record = (context: BatchContext, delta: number) =>
  new FetchedRecord(context, BYTES, 0, delta, 5 * delta, 0, 3, 4, delta % 3 === 0 ? -1 : 5, {})

const batch = fc.record({ records: fc.integer({ min: 1, max: 5 }), gap: fc.nat(3), control: fc.boolean() })

it('holds what the client’s own holds', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.array(batch, { maxLength: 6 }), fc.nat(20), (first, batches, skipped) => {
      let offset = first
      const messages = batches.flatMap(({ records, gap, control }, i) => {
        const context: BatchContext = {
          firstOffset: offset + gap,
          firstTimestamp: 1000,
          maxTimestamp: 2000,
          appendTime: i % 2 === 0,
          producerId: String(i % 2),
          inTransaction: true,
          isControlBatch: control,
        }
        offset += gap + records
        return Array.from({ length: records }, (_, delta) => record(context, delta))
      })
      const data = {
        partition: 3,
        highWatermark: String(offset + 7),
        messages,
        abortedTransactions: [],
      }
      const [ours, theirs] = [Ours, Theirs].map((Batch) => new Batch('t', String(first + skipped), data))
      for (const key of ['rawMessages', 'messagesWithinOffset', 'messages'] as const)
        expect(ours[key].map(contents)).toEqual(theirs[key].map(contents))
      for (const ask of ASKED) expect(call(ours, ask), ask).toEqual(call(theirs, ask))
    }),
  )
})

const contents = ({
  offset,
  timestamp,
  key,
  value,
}: Pick<FetchedRecord, 'offset' | 'timestamp' | 'key' | 'value'>) => ({
  offset,
  timestamp,
  key: key && String(key),
  value: value && String(value),
})
const ASKED = [
  'isEmpty',
  'isEmptyDueToFiltering',
  'firstOffset',
  'lastOffset',
  'offsetLag',
  'offsetLagLow',
] as const
const call = (batch: object, method: (typeof ASKED)[number]) =>
  (batch as Record<string, () => unknown>)[method]()

it('leaves out aborted transactions that overlap, in whatever order they are told', () => {
  // a0 a1 | b2 b3 | a4 | c5 | b aborts, then a; c commits.
  const batches = [
    ...[
      ['a', 0, 2],
      ['b', 2, 2],
      ['a', 4, 1],
      ['c', 5, 1],
    ],
    ...[
      ['b', 6, 0],
      ['a', 7, 0],
      ['c', 8, 0],
      ['b', 9, 2],
    ],
  ] as const
  const messages = batches.flatMap(([producerId, firstOffset, count]) => {
    const context: BatchContext = {
      firstOffset,
      firstTimestamp: 0,
      maxTimestamp: 0,
      appendTime: false,
      producerId,
      inTransaction: true,
      isControlBatch: count === 0,
    }
    return Array.from({ length: Math.max(1, count) }, (_, delta) => record(context, delta))
  })
  const ended = [
    { producerId: 'b', firstOffset: '2' },
    { producerId: 'a', firstOffset: '0' },
  ]
  const offsets = (Batch: BatchClass, abortedTransactions: typeof ended) =>
    new Batch('t', '0', { messages, abortedTransactions }).messages.map(({ offset }) => offset)
  expect(offsets(Ours, ended)).toEqual(['5', '9', '10'])
  expect(offsets(Ours, [...ended].reverse())).toEqual(['5', '9', '10'])
})
