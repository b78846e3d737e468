import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { Shadow, type ShadowParts } from '../../src/pipeline/shadow.ts'
import { StubScorer } from './stub-scorer.ts'

const batchOf = (first: number, ...amounts: number[]) =>
  batchOfRows(
    amounts.map((amount) => ({ amount })),
    { prefix: 'in-0', offsets: { first } },
  )
/** The champion flags amounts over 990. */
const championOf = (batch: ReturnType<typeof batchOf>) =>
  new StubScorer(1).score(batch, { pipeline: 'payments' })

/** Flags every amount over 500. */
class Strict extends StubScorer {
  override async score(...args: Parameters<StubScorer['score']>) {
    const scored = await super.score(...args)
    const amount = scored.batch.columns.get('amount')
    const verdict = scored.verdict.map((_, row) =>
      amount?.kind === 'number' && amount.values[row] > 500 ? 1 : 0,
    )
    return { ...scored, verdict }
  }
}

function shadowOf(parts: Partial<ShadowParts>) {
  const stop = new AbortController()
  const shadow = new Shadow({
    pipeline: 'payments',
    challenger: async () => 2,
    load: async (version) => new Strict(version),
    lookMs: 5,
    logger: SILENT,
    ...parts,
  })
  const following = shadow.follow(stop.signal)
  return {
    shadow,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await following
      await shadow[Symbol.asyncDispose]()
    },
  }
}

describe('Shadow', () => {
  it('scores what the champion scored, tells how they differ, and stores it as a run of its own', async () => {
    await using store = new MemoryScoreStore()
    await store.open()
    await using world = shadowOf({ store })
    const { shadow } = world
    await expect.poll(() => shadow.report?.version).toBe(2)
    const champion = await championOf(batchOf(0, 1, 600, 999))
    await store.append(champion)
    shadow.observe(champion)
    await expect.poll(() => shadow.report?.records).toBe(3)
    expect(shadow.report).toMatchObject({
      both: 1,
      neither: 1,
      only_champion: 0,
      only_challenger: 1,
      skipped: 0,
    })
    const query = { pipeline: 'payments', limit: 10 }
    await expect
      .poll(async () =>
        (await store.query({ ...query, runId: 'shadow-2' })).items.map(({ verdict }) => verdict),
      )
      .toHaveLength(3)
    const live = await store.query(query)
    expect(live.items.map(({ model_version }) => model_version)).toEqual([1, 1, 1])
    expect(live.items.filter(({ is_anomaly }) => is_anomaly)).toHaveLength(1)
  })

  it('never makes the stream wait: what comes while it is busy is passed by and counted', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await using world = shadowOf({ load: async (version) => new Strict(version, () => held) })
    const { shadow } = world
    await expect.poll(() => shadow.report?.version).toBe(2)
    shadow.observe(await championOf(batchOf(0, 1, 2)))
    shadow.observe(await championOf(batchOf(2, 3, 4, 5)))
    expect(shadow.report).toMatchObject({ records: 0, skipped: 3 })
    release()
    await expect.poll(() => shadow.report?.records).toBe(2)
  })

  it('goes on where the challenger fails, and ends when it is no challenger any more', async () => {
    let waiting: number | undefined = 2
    const loaded: StubScorer[] = []
    await using world = shadowOf({
      challenger: async () => waiting,
      async load(version) {
        const scorer = new Strict(version, () => {
          throw new Error('broken')
        })
        loaded.push(scorer)
        return scorer
      },
    })
    const { shadow } = world
    await expect.poll(() => shadow.report?.version).toBe(2)
    shadow.observe(await championOf(batchOf(0, 1)))
    await sleep(20)
    expect(shadow.report).toMatchObject({ records: 0 })
    waiting = undefined
    await expect.poll(() => shadow.report).toBeUndefined()
    expect(loaded.map(({ disposed }) => disposed)).toEqual([true])
    shadow.observe(await championOf(batchOf(1, 1)))
  })
})
