import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BatchClass, fetchedBatch } from '../../../connectors/kafka/fetched-batch.ts'
import { type BatchContext, FetchedRecord } from '../../../connectors/kafka/fetched-record.ts'

const Theirs: BatchClass = createRequire(import.meta.url)('kafkajs/src/consumer/batch')
const Ours = fetchedBatch(Theirs)

const BYTES = Buffer.from('key value')
const record = (context: BatchContext, delta: number) =>
  new FetchedRecord(context, BYTES, 0, delta, 5 * delta, 0, 3, 4, delta % 3 === 0 ? -1 : 5, {})

const batch = fc.record({ records: fc.integer({ min: 1, max: 5 }), gap: fc.nat(3), control: fc.boolean() })

it('holds what the client’s own holds', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.array(batch, { maxLength: 6 }),
      fc.nat(20),
      fc.boolean(),
      (first, batches, skipped, aborted) => {
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
          abortedTransactions: aborted ? [{ producerId: '0', firstOffset: String(first) }] : [],
        }
        const [ours, theirs] = [Ours, Theirs].map((Batch) => new Batch('t', String(first + skipped), data))
        for (const key of ['rawMessages', 'messagesWithinOffset', 'messages'] as const)
          expect(ours[key].map(contents)).toEqual(theirs[key].map(contents))
        for (const ask of ASKED) expect(call(ours, ask), ask).toEqual(call(theirs, ask))
      },
    ),
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
