import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mergeByTime } from '../../src/core/merge-by-time.ts'
import { batchOfRows, idOf, type RecordBatch } from '../../src/core/record.ts'

/** One stream: batches of the times given. */
async function* stream(
  partition: number,
  batches: readonly (readonly number[])[],
): AsyncGenerator<RecordBatch> {
  let first = 0
  for (const times of batches) {
    const eventTime = Float64Array.from(times)
    const origin = { prefix: `t-${partition}`, offsets: { first }, topic: 't', partition }
    yield batchOfRows(
      times.map((time) => ({ time })),
      origin,
      { eventTime },
    )
    first += times.length
  }
}

async function merged(streams: readonly (readonly (readonly number[])[])[]): Promise<RecordBatch[]> {
  const found: RecordBatch[] = []
  for await (const batch of mergeByTime(streams.map((batches, i) => stream(i, batches)))) found.push(batch)
  return found
}
const times = (batches: readonly RecordBatch[]) => batches.flatMap(({ eventTime }) => [...(eventTime ?? [])])

it('gives every record once, each stream in its own order', async () => {
  const batch = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(Number.NaN)), { maxLength: 9 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(batch, { maxLength: 4 }), { maxLength: 4 }), async (streams) => {
      const found = await merged(streams)
      for (const [i, batches] of streams.entries()) {
        const own = found.filter(({ origin }) => origin.partition === i)
        const ids = own.flatMap((one) => Array.from({ length: one.rows }, (_, row) => idOf(one.origin, row)))
        expect(ids).toEqual(batches.flat().map((_, offset) => `t-${i}-${offset}`))
      }
    }),
  )
})

it('puts the records of partitions that are read at different speeds in the order of their times', async () => {
  const long = Array.from({ length: 20 }, (_, b) => Array.from({ length: 500 }, (_, i) => 2 * (500 * b + i)))
  const late = Array.from({ length: 4 }, (_, b) =>
    Array.from({ length: 1000 }, (_, i) => 9001 + 2 * (1000 * b + i)),
  )
  const found = await merged([long, [], late, [[-5]]])
  const all = times(found)
  expect(all).toHaveLength(14_001)
  let earlier = Number.NEGATIVE_INFINITY
  for (let from = 0; from < all.length; from += 4096) {
    const together = all.slice(from, from + 4096)
    expect(Math.min(...together)).toBeGreaterThan(earlier)
    earlier = Math.max(...together)
  }
  expect(found.length).toBeLessThan(60)
})

it('closes every stream when its reader stops early, and when one of them fails', async () => {
  let closed = 0
  async function* endless(failing: boolean) {
    try {
      for (let at = 0; ; at++) {
        if (failing && at > 3) throw new Error('gone')
        yield* stream(0, [[at]])
      }
    } finally {
      closed++
    }
  }
  for await (const _ of mergeByTime([endless(false), endless(false)])) break
  expect(closed).toBe(2)
  const failing = async () => {
    for await (const _ of mergeByTime([endless(true), endless(false)]));
  }
  await expect(failing()).rejects.toThrow('gone')
  expect(closed).toBe(4)
})
