import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import type { Sink } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { scoredRecords } from '../../src/core/scored-record.ts'
import { sinkBatch } from './sink-batch.ts'
import type { NotOwn } from './source.suite.ts'

/** One destination and how to look into it from outside. */
export interface SinkHarness extends AsyncDisposable {
  /** A sink on the destination, not yet open. */
  create(): Promise<Sink>
  /** The records that an outside reader sees now, in order; empty where the destination does not exist yet. */
  read(): Promise<readonly Partial<ScoredRecord>[]>
  /** Makes the destination refuse writes until it is healed; absent where that cannot be brought about. */
  breakDown?(): Promise<void>
  heal?(): Promise<void>
}

const NO_SIGNAL = new AbortController().signal
const LARGE = 10_000

/** The rules of the Sink port, by what the sink declares of itself, run against every implementation. */
export function sinkSuite(
  name: string,
  create: () => Promise<SinkHarness>,
  notOwn: readonly NotOwn[] = [],
): void {
  const check = (test: string, run: () => Promise<void>) => {
    if (!notOwn.some(({ tests }) => tests.includes(test))) it(test, run)
  }

  describe(`${name}, a sink`, () => {
    let harness: SinkHarness
    let sink: Sink
    const settle = async () => {
      if (sink.durableAt === 'roll') await sink.flush?.()
    }

    beforeEach(async () => {
      harness = await create()
      sink = await harness.create()
      await sink.open(NO_SIGNAL)
    })
    afterEach(async () => {
      await attempt(async () => sink[Symbol.asyncDispose]())
      await harness[Symbol.asyncDispose]()
    })

    check('shows every field of every record once it is durable', async () => {
      const scored = sinkBatch({ rows: 60 })
      await sink.write(scored)
      await settle()
      expectSame(await harness.read(), [...scoredRecords(scored)])
    })

    check('shows nothing of a file before it rolls', async () => {
      await sink.write(sinkBatch({ rows: 5 }))
      if (sink.durableAt === 'roll') expect(await harness.read()).toEqual([])
      else expect(await harness.read()).toHaveLength(5)
    })

    check('keeps batches in order', async () => {
      for (let first = 0; first < 50; first += 10) await sink.write(sinkBatch({ rows: 10, first }))
      await settle()
      const ids = (await harness.read()).map(({ id }) => id)
      expect(ids).toEqual(Array.from({ length: 50 }, (_, i) => `in-0-${i}`))
    })

    check('takes an empty batch', async () => {
      await sink.write(sinkBatch({ rows: 0 }))
      await settle()
      expect(await harness.read()).toEqual([])
    })

    check('takes ten thousand records', async () => {
      await sink.write(sinkBatch({ rows: LARGE }))
      await settle()
      expect(await harness.read()).toHaveLength(LARGE)
    })

    check('shows a repeated record once, if it says so', async () => {
      await sink.write(sinkBatch({ rows: 20 }))
      await sink.write(sinkBatch({ rows: 20 }))
      await settle()
      expect(await harness.read()).toHaveLength(sink.idempotent ? 20 : 40)
    })

    check('goes on after a flush', async () => {
      await sink.write(sinkBatch({ rows: 5 }))
      await sink.flush?.()
      await sink.write(sinkBatch({ rows: 5, first: 5 }))
      await settle()
      expect(await harness.read()).toHaveLength(10)
    })

    check('rejects with a cause when the destination fails, and works again once it is healed', async () => {
      if (harness.breakDown === undefined || harness.heal === undefined)
        throw new Error(
          'the harness cannot break its destination: declare this rule not its own, with the reason',
        )
      await harness.breakDown()
      const failure = await attempt(async () => {
        await sink.write(sinkBatch({ rows: 5 }))
        await settle()
      })
      expect(isSurprisalError(failure), String(failure)).toBe(true)
      expect((failure as Error).cause).toBeDefined()
      await harness.heal()
      await sink.write(sinkBatch({ rows: 5, first: 100 }))
      await settle()
      const ids = (await harness.read()).map(({ id }) => id)
      expect(ids).toEqual(expect.arrayContaining(['in-0-100', 'in-0-104']))
    })

    check('flushes when disposed, and may be disposed twice', async () => {
      await sink.write(sinkBatch({ rows: 7 }))
      await sink[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      expect(await harness.read()).toHaveLength(7)
    })
  })
}

async function attempt(run: () => Promise<void>): Promise<unknown> {
  try {
    await run()
    return undefined
  } catch (error) {
    return error
  }
}

/** Every field that the destination holds equals the wire record's. */
function expectSame(shown: readonly Partial<ScoredRecord>[], expected: readonly ScoredRecord[]): void {
  expect(shown).toHaveLength(expected.length)
  shown.forEach((record, i) => {
    for (const [field, value] of Object.entries(record))
      expect(value, `${field} of ${expected[i].id}`).toEqual(expected[i][field as keyof ScoredRecord])
    for (const field of [
      'id',
      'log_prob',
      'score',
      'p_value',
      'verdict',
      'is_anomaly',
      'attribution',
      'reasons',
      'suppressed',
    ])
      expect(record, `${field} of ${expected[i].id}`).toHaveProperty(field)
  })
}
