import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ScoreQuery, ScoreStore } from '../../src/core/ports.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { scoredRecords } from '../../src/core/scored-record.ts'
import { byId, everythingIn } from './score-pages.ts'
import { MORNING, scoredBatch } from './scored-batch.ts'

/** What a score store answers: filters, pages, series, distributions. */
export function scoreQueriesSuite(name: string, create: () => Promise<ScoreStore>): void {
  describe(`${name} answers queries`, () => {
    let store: ScoreStore
    beforeAll(async () => {
      store = await create()
      await store.open()
    })
    afterAll(() => store[Symbol.asyncDispose]())
    const everything = everythingIn(() => store)

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
      const flagged = await everything({ pipeline: 'ranked', order: 'score', verdicts: ['anomaly'] }, 5)
      expect(flagged.map((r) => r.score)).toEqual(scores.slice(0, flagged.length))
      expect(flagged.length).toBeGreaterThan(10)
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
  })
}

/** A series quantile is a histogram's: within its 2 % of the true one, or 0.001 near zero. */
function near(value: number | null, wanted: number | null): void {
  if (wanted === null) expect(value).toBe(null)
  else expect(Math.abs(value! - wanted)).toBeLessThanOrEqual(0.0201 * wanted + 0.001)
}
