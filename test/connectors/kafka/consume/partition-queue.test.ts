import fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { PartitionQueue, type Slice } from '../../../../connectors/kafka/consume/partition-queue.ts'

const message = (offset: number): KafkaMessage => ({
  offset: String(offset),
  key: null,
  value: Buffer.from('x'),
  timestamp: '0',
  attributes: 0,
  headers: {},
})
const messages = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => message(from + i))

function filled(): PartitionQueue {
  const queue = new PartitionQueue('t', 0, 100)
  queue.push(100, messages(100, 110), 110)
  return queue
}

describe('PartitionQueue', () => {
  it('never moves its watermark past a gap, whatever the order of acknowledgement', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5, maxLength: 5 }), (order) => {
        const queue = filled()
        const slices = Array.from({ length: 5 }, () => queue.take(2)!)
        const done = new Set<number>()
        for (const index of order) {
          queue.acknowledge(slices[index])
          done.add(index)
          let whole = 0
          while (done.has(whole)) whole++
          expect(queue.watermark).toBe(100 + whole * 2)
        }
        expect(queue.inFlight).toBe(0)
      }),
    )
  })

  it('commits the offset after control records that nobody sees', () => {
    const queue = new PartitionQueue('t', 0, 0)
    queue.push(0, messages(0, 3), 4)
    const slice = queue.take(10)!
    expect(queue.acknowledge(slice)).toBe(true)
    expect(queue.watermark).toBe(4)
    queue.skip(6)
    expect(queue.watermark).toBe(6)
  })

  it('skips what holds nothing only after what came before is acknowledged', () => {
    const queue = filled()
    const slice = queue.take(10)!
    queue.skip(112)
    expect(queue.watermark).toBe(100)
    queue.acknowledge(slice)
    expect(queue.watermark).toBe(112)
  })

  it('drops what it has already and refuses what lies beyond a gap', () => {
    const queue = filled()
    expect(queue.push(105, messages(105, 112), 112)).toBe(true)
    expect(queue.records).toBe(12)
    expect(queue.push(113, messages(113, 115), 115)).toBe(false)
    expect(queue.position).toBe(112)
  })

  it('fires the signal of slices in flight on rewind, and ignores their late acknowledgement', () => {
    const queue = filled()
    const slice: Slice = queue.take(4)!
    queue.rewind('test')
    expect(slice.revoked.aborted).toBe(true)
    expect(queue.acknowledge(slice)).toBe(false)
    expect([queue.watermark, queue.position, queue.records, queue.bytes]).toEqual([100, 100, 0, 0])
    queue.push(100, messages(100, 102), 102)
    expect(queue.take(5)!.revoked.aborted).toBe(false)
  })

  it('counts its lag from the watermark', () => {
    const queue = filled()
    queue.highWatermark = 150
    expect(queue.lag).toBe(50)
  })
})
