import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { grouped, pipelined } from '../../../src/detect/threads/pipelined.ts'

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
async function* numbers(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n; i++) yield i
}

describe('pipelined', () => {
  it('keeps the order whatever takes how long, with no more under way than allowed', async () => {
    let under = 0
    let most = 0
    const work = async (i: number) => {
      most = Math.max(most, ++under)
      await sleep((i * 7) % 5)
      under--
      return i * i
    }
    expect(await collect(pipelined(numbers(30), work, 3))).toEqual(
      Array.from({ length: 30 }, (_, i) => i * i),
    )
    expect(most).toBe(3)
  })

  it('gives a result without waiting for the next item', async () => {
    let release = () => {}
    async function* slow() {
      yield 1
      await new Promise<void>((resolve) => (release = resolve))
      yield 2
    }
    const results = pipelined(slow(), async (i) => i, 4)
    expect((await results.next()).value).toBe(1)
    release()
    expect((await results.next()).value).toBe(2)
    expect((await results.next()).done).toBe(true)
  })

  it('fails with the failure of the item, and closes its input', async () => {
    let closed = false
    async function* endless() {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        closed = true
      }
    }
    const work = async (i: number) => {
      if (i === 2) throw new Error('two')
      return i
    }
    await expect(collect(pipelined(endless(), work, 2))).rejects.toThrow('two')
    expect(closed).toBe(true)
  })
})

describe('grouped', () => {
  it('fills its groups and gives the rest at the end', async () => {
    expect((await collect(grouped(numbers(10), 4, 1000))).map((group) => group.length)).toEqual([4, 4, 2])
    expect(await collect(grouped([], 4, 1000))).toEqual([])
    expect((await collect(grouped(numbers(1000), 7, 1000))).flat()).toEqual([...Array(1000).keys()])
  })

  it('does not let a lone item wait for company', async () => {
    async function* lone() {
      yield 'first'
      await sleep(400)
      yield 'second'
    }
    expect(await collect(grouped(lone(), 100, 10))).toEqual([['first'], ['second']])
  })

  it('passes a failure on after what came before it', async () => {
    async function* broken() {
      yield 1
      throw new Error('cut')
    }
    const groups = grouped(broken(), 10, 5)
    expect((await groups.next()).value).toEqual([1])
    await expect(groups.next()).rejects.toThrow('cut')
  })
})
