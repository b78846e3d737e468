import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabelStore, NoticeStore, ScoreQuery, ScoreStore } from '../../src/core/ports.ts'
import { scoredRecords } from '../../src/core/scored-record.ts'
import type { KeepPolicy } from '../../src/core/scores/intake.ts'
import { noticeStoreSuite } from './notice-store.suite.ts'
import { byId, everythingIn } from './score-pages.ts'
import { scoreQueriesSuite } from './score-queries.suite.ts'
import { hostileBatch, MORNING, scoredBatch } from './scored-batch.ts'

/** A store on its own data, opened by the suite. `keep` is absent for the default: everything. */
export type ScoreStoreFactory = (keep?: KeepPolicy) => Promise<ScoreStore & LabelStore & NoticeStore>

export function scoreStoreSuite(name: string, create: ScoreStoreFactory): void {
  scoreQueriesSuite(name, () => create())
  noticeStoreSuite(name, async () => {
    const store = await create()
    await store.open()
    return store
  })

  describe(`${name} keeps the promises of a ScoreStore`, () => {
    let store: ScoreStore & LabelStore
    beforeAll(async () => {
      store = await create()
      await store.open()
    })
    afterAll(async () => {
      await store[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    })

    const everything = everythingIn(() => store)

    it('gives back what was appended, newest first', async () => {
      const batch = scoredBatch({ pipeline: 'round', rows: 300 })
      await store.append(batch)
      const records = await everything({ pipeline: 'round' })
      expect(byId(records)).toEqual(byId([...scoredRecords(batch)]))
      expect(records.map((r) => r.event_time)).toEqual(
        records
          .map((r) => r.event_time)
          .sort()
          .reverse(),
      )
    })

    it('gives back hostile texts, extreme numbers and records without a time', async () => {
      const batch = hostileBatch('hostile')
      await store.append(batch)
      expect(byId(await everything({ pipeline: 'hostile' }))).toEqual(byId([...scoredRecords(batch)]))
    })

    it('takes an empty batch', async () => {
      await store.append(scoredBatch({ pipeline: 'empty', rows: 0 }))
      expect(await everything({ pipeline: 'empty' })).toEqual([])
    })

    it('keeps the first write of a record, row by row', async () => {
      const first = scoredBatch({ pipeline: 'twice', rows: 20, first: 100 })
      await store.append(first)
      await store.append(scoredBatch({ pipeline: 'twice', rows: 30, first: 95, seed: 2, modelVersion: 9 }))
      await store.append(scoredBatch({ pipeline: 'twice', rows: 30, first: 95, seed: 3, modelVersion: 9 }))
      const records = await everything({ pipeline: 'twice' })
      expect(records.length).toBe(30)
      const flagged = await everything({ pipeline: 'twice', verdicts: ['anomaly'] })
      expect(flagged).toEqual(records.filter((r) => r.is_anomaly))
      const versions = new Map(records.map((r) => [r.source.offset, r.model_version]))
      for (let offset = 95; offset < 125; offset++)
        expect(versions.get(offset)).toBe(offset >= 100 && offset < 120 ? 1 : 9)
      const [point] = await store.series({
        pipeline: 'twice',
        from: 0,
        to: 4e12,
        step: 4e12 - (4e12 % 3.6e6),
      })
      expect(point.records).toBe(30)
    })

    it('keeps the first of two rows with one id in a batch', async () => {
      const offsets = Float64Array.from([7, 5, 7, 6, 5])
      await store.append(scoredBatch({ pipeline: 'doubled', rows: 5, offsets }))
      expect((await everything({ pipeline: 'doubled' })).map((r) => r.source.offset).sort()).toEqual([
        5, 6, 7,
      ])
    })

    it('takes appends of one origin at once without doubling', async () => {
      await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          store.append(scoredBatch({ pipeline: 'race', rows: 50, first: (i >> 1) * 50 })),
        ),
      )
      expect((await everything({ pipeline: 'race' })).length).toBe(200)
    })

    it('keeps runs apart from live scores', async () => {
      await store.append(scoredBatch({ pipeline: 'runs', rows: 10 }))
      await store.append(scoredBatch({ pipeline: 'runs', rows: 10, runId: 'backtest-1' }))
      await store.append(scoredBatch({ pipeline: 'runs', rows: 10, runId: 'backtest-1' }))
      expect((await everything({ pipeline: 'runs' })).every((r) => r.run_id === undefined)).toBe(true)
      const rescored = await everything({ pipeline: 'runs', runId: 'backtest-1' })
      expect(rescored.map((r) => r.run_id)).toEqual(Array(10).fill('backtest-1'))
      const flagged = await everything({ pipeline: 'runs', runId: 'backtest-1', verdicts: ['anomaly'] })
      expect(flagged).toEqual(rescored.filter((r) => r.is_anomaly))
      const [point] = await store.series({
        pipeline: 'runs',
        from: MORNING,
        to: MORNING + 1,
        step: 3_600_000,
      })
      expect(point.records).toBe(10)
    })

    it('keeps the last label of a record', async () => {
      const said = { pipeline: 'said', id: "o'rders-0-1", who: 'ada', at: '2026-03-01T08:00:00.000Z' }
      await store.put({ ...said, label: 'anomaly', note: 'a "note"' })
      await store.put({ ...said, id: 'orders-0-2', label: 'anomaly', note: 'kept' })
      await store.put({ ...said, label: 'false_alarm', at: '2026-03-01T09:00:00.000Z' })
      expect(await store.labels('nobody')).toEqual([])
      const labels = [...(await store.labels('said'))].sort((a, b) => (a.id < b.id ? -1 : 1))
      expect(labels).toEqual([
        { ...said, label: 'false_alarm', at: '2026-03-01T09:00:00.000Z' },
        { ...said, id: 'orders-0-2', label: 'anomaly', note: 'kept' },
      ])
    })

    it('lists its pipelines', async () => {
      expect(await store.pipelines()).toEqual(expect.arrayContaining(['round', 'runs']))
      expect(await store.pipelines()).not.toContain('never seen')
    })

    it('drops old rows, keeps roll-ups, and does not take dropped records again', async () => {
      const batch = scoredBatch({ pipeline: 'old', rows: 300 })
      await store.append(batch)
      const before = MORNING + 100_000
      expect(await store.retain('old', before)).toBe(100)
      expect(await store.retain('old', before)).toBe(0)
      await store.append(batch)
      const left = await everything({ pipeline: 'old' })
      expect(left.length).toBe(200)
      const flagged = await everything({ pipeline: 'old', verdicts: ['anomaly'] })
      expect(flagged).toEqual(left.filter((r) => r.is_anomaly))
      const [point] = await store.series({ pipeline: 'old', from: MORNING, to: MORNING + 1, step: 3_600_000 })
      expect(point.records).toBe(300)
    })

    it.each([
      { limit: 0 },
      { limit: 1e6 },
      { limit: 1.5 },
      { from: Number.NaN },
      { to: 1e300 },
      { cursor: 'not a cursor' },
      { cursor: Buffer.from('["time",null,1,{}]').toString('base64url') },
      { order: 'score', cursor: Buffer.from('["time",1,"p",1]').toString('base64url') },
    ] as Partial<ScoreQuery>[])('refuses the query %o', async (bad) => {
      await expect(store.query({ pipeline: 'round', limit: 10, ...bad })).rejects.toMatchObject({
        code: 'QUERY_INVALID',
      })
    })

    it.each([
      { step: 0 },
      { step: -5 },
      { step: 0.5 },
      { to: 0 },
      { step: 1, to: 1e12 },
      { from: Number.NaN },
    ])('refuses the series %o', async (bad) => {
      await expect(
        store.series({ pipeline: 'round', from: 0, to: 1e6, step: 1000, ...bad }),
      ).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    })

    it('refuses offsets that are no whole numbers, and stays usable', async () => {
      const offsets = Float64Array.from([1, Number.NaN])
      await expect(store.append(scoredBatch({ pipeline: 'bad', rows: 2, offsets }))).rejects.toMatchObject({
        code: 'RECORD_INVALID',
      })
      await store.append(scoredBatch({ pipeline: 'bad', rows: 2 }))
      expect((await everything({ pipeline: 'bad' })).length).toBe(2)
    })
  })

  describe(`${name} with anomalies and a sample kept`, () => {
    it('keeps every anomaly, the share of normal records, and whole roll-ups', async () => {
      await using store = await create({ rows: 'anomalies', sample: 0.1 })
      await store.open()
      const batch = scoredBatch({ pipeline: 'sampled', rows: 2000 })
      await store.append(batch)
      await store.append(batch)
      const all = [...scoredRecords(batch)]
      const flagged = await store.query({
        pipeline: 'sampled',
        verdicts: ['anomaly', 'unscored'],
        limit: 1000,
      })
      expect(flagged.items.length).toBe(all.filter((r) => r.verdict !== 'normal').length)
      const normal = await store.query({ pipeline: 'sampled', verdicts: ['normal'], limit: 1000 })
      expect(normal.items.length).toBeGreaterThan(100)
      expect(normal.items.length).toBeLessThan(300)
      const points = await store.series({
        pipeline: 'sampled',
        from: MORNING,
        to: MORNING + 3_600_000,
        step: 60_000,
      })
      expect(points.reduce((sum, p) => sum + p.records, 0)).toBe(2000)
      await expect(
        store.series({ pipeline: 'sampled', from: 0, to: 1000, step: 1000 }),
      ).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    })
  })
}
