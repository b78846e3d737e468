import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DriftReport, Episode, NoticeStore, PipelineStatus } from '../../src/core/ports.ts'

/** What a store keeps of episodes, looks at drift and statuses. The factory gives an open store. */
export function noticeStoreSuite(name: string, create: () => Promise<NoticeStore & AsyncDisposable>): void {
  describe(`${name} keeps notices`, () => {
    let store: NoticeStore & AsyncDisposable
    beforeAll(async () => {
      store = await create()
    })
    afterAll(() => store[Symbol.asyncDispose]())
    const episodes = async (pipeline: string, limit: number) =>
      (await store.episodes(pipeline, limit)).map(({ notice }) => notice)

    it('gives back episodes, newest first, each as it was last', async () => {
      for (const minute of [1, 3, 2]) await store.putEpisode(episode(minute))
      const over: Episode = { ...episode(2), ended_at: '2026-03-01T09:00:00.000Z', anomalies: 7 }
      await store.putEpisode(over)
      await store.putEpisode({ ...episode(9), pipeline: 'others' })
      expect(await episodes('orders', 10)).toEqual([episode(3), over, episode(1)])
      expect(await episodes('orders', 2)).toEqual([episode(3), over])
      expect(await episodes('nobody', 10)).toEqual([])
    })

    it('gives back looks at drift, newest first, one for each window', async () => {
      for (const hour of [8, 10, 9, 8]) await store.putDrift('orders', look(hour))
      expect(await store.drift('orders', 10)).toEqual([look(10), look(9), look(8)])
      expect(await store.drift('orders', 1)).toEqual([look(10)])
      expect(await store.drift('others', 1)).toEqual([])
    })

    it('gives back the last status of each process, and when it was heard', async () => {
      const before = Date.now()
      await store.putStatus('a', status('orders', 1))
      await store.putStatus('b', status('orders', 5))
      await store.putStatus('a', status('orders', 2))
      await store.putStatus('a', status('payments', 3))
      const heard = await store.statuses()
      const records = heard.map(({ notice: { name, records } }) => `${name} ${records}`)
      expect(records.sort()).toEqual(['orders 2', 'orders 5', 'payments 3'])
      for (const { heardAt } of heard) {
        expect(heardAt).toBeGreaterThanOrEqual(before)
        expect(heardAt).toBeLessThanOrEqual(Date.now())
      }
    })

    it('forgets old ones, and none of the newest 500', async () => {
      for (let minute = 0; minute < 600; minute++)
        await store.putEpisode({ ...episode(minute), pipeline: 'many' })
      const kept = await episodes('many', 5000)
      expect(kept.length).toBeGreaterThanOrEqual(500)
      expect(kept.length).toBeLessThan(600)
      expect(kept.map(({ id }) => id)).toEqual(kept.map((_, i) => `e${599 - i}`))
    })
  })
}

function episode(minute: number): Episode {
  return {
    id: `e${minute}`,
    pipeline: 'orders',
    entity: minute % 2 === 0 ? null : "pump '; DROP TABLE notices; --",
    started_at: new Date(Date.UTC(2026, 2, 1, 8, minute)).toISOString(),
    ended_at: null,
    anomalies: minute + 1,
    max_score: 3.25,
    severity: 'minor',
    fields: ['amount'],
  }
}

function look(hour: number): DriftReport {
  const at = (h: number) => new Date(Date.UTC(2026, 2, 1, h)).toISOString()
  const fields = [{ field: 'amount', effect: hour / 100, p: 1e-300, drifted: true }]
  return { from: at(hour - 1), to: at(hour), records: 5000, fields, triggered: ['amount'] }
}

function status(name: string, records: number): PipelineStatus {
  return {
    name,
    state: 'running',
    reasons: [],
    records_per_second: 10.5,
    records,
    anomalies: 1,
    unscored: 0,
    since: '2026-03-01T08:00:00.000Z',
    lag: null,
    nominal_rate: 0.001,
    realised_rate: null,
    model_version: 2,
    model_created_at: null,
  }
}
