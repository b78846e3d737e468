import fc from 'fast-check'
import { expect, it } from 'vitest'
import { groupByPartition } from '../../../../connectors/kafka/produce/group-by-partition.ts'
import { inGroups } from '../../../../connectors/kafka/produce/request-groups.ts'

it('keeps every message, in order, in groups under the limit', () => {
  const outputs = fc.array(
    fc.record({
      topic: fc.constantFrom('a', 'b', 'c'),
      messages: fc.array(fc.record({ value: fc.string({ maxLength: 300 }) }), { maxLength: 9 }),
    }),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(outputs, (all) => {
      const groups = [...inGroups(all, 500)]
      const flat = (list: typeof all) =>
        list.flatMap(({ topic, messages }) => messages.map((m) => ({ topic, m })))
      expect(flat(groups.flat() as typeof all)).toEqual(flat(all))
      for (const group of groups) {
        const sizes = flat(group as typeof all).map(({ m }) => 100 + Buffer.byteLength(m.value))
        expect(sizes.length).toBeGreaterThan(0)
        if (sizes.length > 1) expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(500)
      }
    }),
  )
})

it('groups messages by the partition that each is for', () => {
  const messages = [3, 1, 3, 0].map((partition, i) => ({ partition, value: String(i) }))
  const partitioner = ({ message }: { message: { partition?: number } }) => message.partition!
  const grouping = { topic: 't', messages, partitioner }
  const groups = groupByPartition({ ...grouping, partitionMetadata: [{} as never] })
  expect(groups).toEqual({ 0: [messages[3]], 1: [messages[1]], 3: [messages[0], messages[2]] })
  expect(groupByPartition({ ...grouping, partitionMetadata: [] })).toEqual({})
})
