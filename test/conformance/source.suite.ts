import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Delivery, Source } from '../../src/core/ports.ts'
import { idOf, rowOf } from '../../src/core/record.ts'

export type PlainRecord = Readonly<Record<string, string | number | boolean | null>>

/** One origin (a partition, a file, a log) and the sources that read it, one after the other. */
export interface SourceHarness extends AsyncDisposable {
  /** Adds records behind those that are there. Called before the first start only. */
  publish(records: readonly PlainRecord[]): Promise<void>
  /** A source at the committed position that is open and delivers at most `rows` records at once. */
  start(options: { readonly rows: number }): Promise<Source>
}

/** Rules that are not an implementation's own, by the names of their tests, and why: they are not run for it. */
export interface NotOwn {
  readonly tests: readonly string[]
  readonly reason: string
}

const RECORDS: readonly PlainRecord[] = Array.from({ length: 40 }, (_, i) => ({
  amount: i + 0.5,
  count: i,
  currency: i % 3 === 0 ? 'EUR' : 'USD',
  note: i % 4 === 0 ? null : `n${i}`,
}))
const ROWS = 10

/** The rules of the Source port, run against every implementation. */
export function sourceSuite(
  name: string,
  create: () => Promise<SourceHarness>,
  notOwn: readonly NotOwn[] = [],
): void {
  const check = (test: string, run: () => Promise<void>) => {
    if (!notOwn.some(({ tests }) => tests.includes(test))) it(test, run)
  }

  describe(`${name}, a source`, () => {
    let harness: SourceHarness
    const open: Source[] = []
    const start = async () => {
      const source = await harness.start({ rows: ROWS })
      open.push(source)
      return source
    }
    const stop = async (source: Source) => {
      open.splice(open.indexOf(source), 1)
      await source[Symbol.asyncDispose]()
    }

    beforeEach(async () => {
      harness = await create()
      await harness.publish(RECORDS)
    })
    afterEach(async () => {
      for (const source of open.splice(0)) await source[Symbol.asyncDispose]()
      await harness[Symbol.asyncDispose]()
    })

    check('delivers every record once, in order, with its columns', async () => {
      const deliveries = await take(await start(), RECORDS.length)
      expect(rowsOf(deliveries)).toEqual(RECORDS)
      expect(deliveries.length).toBeGreaterThan(1)
      expect(deliveries.flatMap(({ rejected }) => rejected)).toEqual([])
    })

    check('gives every record an id of its own that a restart keeps', async () => {
      const first = await start()
      const before = idsOf(await take(first, RECORDS.length))
      await stop(first)
      expect(new Set(before).size).toBe(RECORDS.length)
      expect(idsOf(await take(await start(), RECORDS.length))).toEqual(before)
    })

    check('brings unacked records again after a restart', async () => {
      const first = await start()
      await take(first, RECORDS.length)
      await stop(first)
      expect(rowsOf(await take(await start(), RECORDS.length))).toEqual(RECORDS)
    })

    check('does not bring acked records again after a restart', async () => {
      const first = await start()
      const deliveries = await take(first, RECORDS.length, 1)
      await deliveries[0].ack()
      await stop(first)
      const rest = RECORDS.slice(deliveries[0].batch.rows)
      expect(rowsOf(await take(await start(), rest.length))).toEqual(rest)
    })

    check('never commits past an unacked earlier delivery', async () => {
      const first = await start()
      const deliveries = await take(first, RECORDS.length)
      for (const delivery of deliveries.slice(1).reverse()) await delivery.ack()
      await stop(first)
      expect(rowsOf(await take(await start(), RECORDS.length))).toEqual(RECORDS)
    })

    check('brings a nacked delivery again', async () => {
      const source = await start()
      const controller = new AbortController()
      const seen: string[] = []
      let nacked: string[] | undefined
      for await (const delivery of source.deliveries(controller.signal)) {
        const ids = idsOf([delivery])
        if (nacked === undefined) {
          nacked = ids
          await delivery.nack(new Error('planted'))
          continue
        }
        seen.push(...ids)
        await delivery.ack()
        if (RECORDS.length === new Set(seen).size) controller.abort()
      }
      expect(nacked).toBeDefined()
      expect(new Set(seen).size).toBe(RECORDS.length)
      expect(seen).toEqual(expect.arrayContaining(nacked ?? []))
    })

    check('ends quietly on abort', async () => {
      const source = await start()
      const controller = new AbortController()
      let count = 0
      for await (const delivery of source.deliveries(controller.signal)) {
        count += delivery.batch.rows
        controller.abort()
      }
      expect(count).toBeGreaterThan(0)
      expect(count).toBeLessThan(RECORDS.length)
    })

    check('takes the first settle of a delivery and ignores the rest', async () => {
      const source = await start()
      const controller = new AbortController()
      const seen: string[] = []
      for await (const delivery of source.deliveries(controller.signal)) {
        seen.push(...idsOf([delivery]))
        await delivery.ack()
        await delivery.ack()
        await delivery.nack(new Error('too late'))
        if (seen.length >= RECORDS.length) controller.abort()
      }
      expect(seen).toHaveLength(RECORDS.length)
      expect(new Set(seen).size).toBe(RECORDS.length)
    })

    check('may be disposed twice', async () => {
      const source = await start()
      await source[Symbol.asyncDispose]()
      await source[Symbol.asyncDispose]()
    })
  })
}

/** Deliveries, unsettled, until `records` rows (or `count` deliveries) are there. */
async function take(source: Source, records: number, count = Number.POSITIVE_INFINITY): Promise<Delivery[]> {
  const deliveries: Delivery[] = []
  let rows = 0
  for await (const delivery of source.deliveries(new AbortController().signal)) {
    deliveries.push(delivery)
    rows += delivery.batch.rows
    if (rows >= records || deliveries.length >= count) break
  }
  return deliveries
}

function rowsOf(deliveries: readonly Delivery[]): PlainRecord[] {
  return deliveries.flatMap(({ batch }) =>
    Array.from({ length: batch.rows }, (_, row) => ({ ...rowOf(batch, row) }) as PlainRecord),
  )
}

function idsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.flatMap(({ batch }) =>
    Array.from({ length: batch.rows }, (_, row) => idOf(batch.origin, row)),
  )
}
