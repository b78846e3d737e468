import { describe, expect, it } from 'vitest'
import { GatheredWrites } from '../../../../connectors/kafka/produce/gathered-writes.ts'

/** Writes that end when they are told to. */
function held() {
  const written: (readonly number[])[] = []
  const ends: ((error?: Error) => void)[] = []
  const writes = new GatheredWrites<number>(
    (items) =>
      new Promise((resolve, reject) => {
        written.push(items)
        ends.push((error) => (error ? reject(error) : resolve()))
      }),
  )
  return { written, ends, writes }
}

describe('GatheredWrites', () => {
  it('writes at once, and together what came meanwhile, in order', async () => {
    const { written, ends, writes } = held()
    const first = writes.add([1])
    const others = [writes.add([2, 3]), writes.add([4])]
    expect(written).toEqual([[1]])
    ends[0]()
    await first
    expect(written).toEqual([[1], [2, 3, 4]])
    ends[1]()
    await Promise.all(others)
    const last = writes.add([5])
    ends[2]()
    await last
    expect(written[2]).toEqual([5])
  })

  it('fails with what it was written with, and goes on', async () => {
    const { written, ends, writes } = held()
    const outcomes = Promise.allSettled([writes.add([1]), writes.add([2]), writes.add([3])])
    ends[0]()
    await new Promise(setImmediate)
    const after = writes.add([4])
    ends[1](new Error('no leader'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    ends[2]()
    await after
    expect(written).toEqual([[1], [2, 3], [4]])
  })
})
