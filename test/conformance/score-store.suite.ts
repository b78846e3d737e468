import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabelStore, ScoreQuery, ScoreStore } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { scoredRecords } from '../../src/core/scored-record.ts'
import type { KeepPolicy } from '../../src/core/scores/intake.ts'
import { hostileBatch, MORNING, scoredBatch } from './scored-batch.ts'

/** A store on its own data, opened by the suite. `keep` is absent for the default: everything. */
export type ScoreStoreFactory = (keep?: KeepPolicy) => Promise<ScoreStore & LabelStore>

export function scoreStoreSuite(name: string, create: ScoreStoreFactory): void {
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

    const everything = async (query: Omit<ScoreQuery, 'limit'>, limit = 1000): Promise<ScoredRecord[]> => {
      const records: ScoredRecord[] = []
      let cursor: string | undefined
      do {
        const page = await store.query({ ...query, limit, cursor })
        records.push(...page.items)
        cursor = page.cursor ?? undefined
      } while (cursor !== undefined)
      return records
    }
    const byId = (records: readonly ScoredRecord[]) =>
      [...records].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))

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
      const [point] = await store.series({
        pipeline: 'runs',
        from: MORNING,
        to: MORNING + 1,
        step: 3_600_000,
      })
      expect(point.records).toBe(10)
    })

    it('filters by half-open time, entity, verdict, severity, suppression and id', async () => {
      const batch = scoredBatch({ pipeline: 'filters', rows: 400 })
      const all = [...scoredRecords(batch)]
      await store.append(batch)
      const [from, to] = [MORNING + 50_000, MORNING + 150_000]
      const check = async (query: Partial<ScoreQuery>, keep: (r: ScoredRecord) => boolean) => {
        const wanted = all.filter(keep)
        expect(wanted.length).toBeGreaterThan(0)
        expect(byId(await everything({ pipeline: 'filters', ...query }))).toEqual(byId(wanted))
      }
      const time = (r: ScoredRecord) => Date.parse(r.event_time!)
      await check({ from, to }, (r) => time(r) >= from && time(r) < to)
      await check({ entity: 'pump-2' }, (r) => r.entity === 'pump-2')
      await check({ verdicts: ['anomaly', 'unscored'] }, (r) => r.verdict !== 'normal')
      await check({ severities: ['warning'] }, (r) => r.severity === 'warning')
      await check({ suppressed: true }, (r) => r.suppressed !== null)
      await check({ suppressed: false, verdicts: ['anomaly'] }, (r) => r.is_anomaly && r.suppressed === null)
      await check({ id: all[17].id }, (r) => r.id === all[17].id)
      for (const id of ['', 'x', '-', "'; DROP TABLE scores; --", `${all[0].id}0000000000000`, '__proto__-1'])
        expect(await everything({ pipeline: 'filters', id })).toEqual([])
      expect(await everything({ pipeline: "' OR 1=1 --" })).toEqual([])
      expect(await everything({ pipeline: 'filters', verdicts: [] })).toEqual([])
    })

    it('pages by score: most surprising first, unscored last', async () => {
      const batch = scoredBatch({ pipeline: 'ranked', rows: 250 })
      await store.append(batch)
      const scores = (await everything({ pipeline: 'ranked', order: 'score' }, 17)).map((r) => r.score ?? -1)
      expect(scores.length).toBe(250)
      expect(scores).toEqual([...scores].sort((a, b) => b - a))
    })

    it('shows each record once to a reader that pages while others append', async () => {
      await store.append(scoredBatch({ pipeline: 'paged', rows: 200 }))
      const seen: string[] = []
      let cursor: string | undefined
      for (let turn = 1; ; turn++) {
        const page = await store.query({ pipeline: 'paged', limit: 23, cursor })
        seen.push(...page.items.map((r) => r.id))
        if (page.cursor === null) break
        cursor = page.cursor
        await store.append(scoredBatch({ pipeline: 'paged', rows: 20, first: 200 + turn * 20, seed: turn }))
      }
      expect(new Set(seen).size).toBe(seen.length)
      for (let i = 0; i < 200; i++) expect(seen).toContain(`orders-0-${i}`)
    })

    it.each([
      ['second', 1000],
      ['minute', 60_000],
      ['hour', 3_600_000],
      ['1.5 minutes', 90_000],
    ])('counts in a series by %s what a query finds', async (_, step) => {
      const pipeline = `series-${step}`
      const batch = scoredBatch({ pipeline, rows: 700 })
      for (const first of [0, 400]) await store.append(scoredBatch({ pipeline, rows: 400, first }))
      const from = MORNING - 2 * step
      const points = await store.series({ pipeline, from, to: MORNING + 900_000, step })
      expect(points.length).toBe(Math.ceil((MORNING + 900_000) / step) - Math.floor(from / step))
      for (const point of points) {
        const found = await everything({ pipeline, from: point.time, to: point.time + step })
        expect(point.records).toBe(found.length)
        expect(point.anomalies).toBe(found.filter((r) => r.is_anomaly).length)
        expect(point.unscored).toBe(found.filter((r) => r.verdict === 'unscored').length)
        const scores = found.flatMap((r) => r.score ?? []).sort((a, b) => a - b)
        const rank = (q: number) => scores[Math.max(1, Math.ceil(q * scores.length)) - 1] ?? null
        near(point.score_p50, rank(0.5))
        near(point.score_p99, rank(0.99))
        expect(point.score_max).toBe(rank(1))
      }
      expect(batch.batch.rows).toBe(700)
    })

    it('gives the series of one entity', async () => {
      const batch = scoredBatch({ pipeline: 'entities', rows: 100 })
      await store.append(batch)
      const query = { pipeline: 'entities', from: MORNING, to: MORNING + 3_600_000, step: 3_600_000 }
      const points = await store.series({ ...query, entity: 'pump-1' })
      const wanted = [...scoredRecords(batch)].filter((r) => r.entity === 'pump-1').length
      expect(points.reduce((sum, p) => sum + p.records, 0)).toBe(wanted)
    })

    it('says how scores spread over whole minutes', async () => {
      await store.append(scoredBatch({ pipeline: 'spread', rows: 500 }))
      const [from, to] = [MORNING + 60_000, MORNING + 300_000]
      const bins = await store.distribution({ pipeline: 'spread', from: from + 1, to: to - 1 })
      const scores = (await everything({ pipeline: 'spread', from, to })).flatMap((r) => r.score ?? [])
      expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(scores.length)
      let low = Number.NEGATIVE_INFINITY
      for (const { up_to, count } of bins) {
        expect(scores.filter((score) => score > low && score <= up_to).length).toBe(count)
        low = up_to
      }
      expect(await store.distribution({ pipeline: 'none', from: 0, to: 1e12 })).toEqual([])
      await expect(store.distribution({ pipeline: 'spread', from: 2, to: 1 })).rejects.toMatchObject({
        code: 'QUERY_INVALID',
      })
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
      expect((await everything({ pipeline: 'old' })).length).toBe(200)
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

/** A series quantile is a histogram's: within its 2 % of the true one, or 0.001 near zero. */
function near(value: number | null, wanted: number | null): void {
  if (wanted === null) expect(value).toBe(null)
  else expect(Math.abs(value! - wanted)).toBeLessThanOrEqual(0.0201 * wanted + 0.001)
}
