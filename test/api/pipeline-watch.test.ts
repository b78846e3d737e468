import { describe, expect, it, vi } from 'vitest'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { LiveHub } from '../../src/api/live-hub.ts'
import { PipelineWatch } from '../../src/api/pipeline-watch.ts'
import type { LiveEvent } from '../../src/core/ports.ts'
import { scoredBatch } from '../conformance/scored-batch.ts'
import { EPISODE } from './served-api.ts'

describe('PipelineWatch', () => {
  it('says what a pipeline did and why it waits', async () => {
    let model: { version: number; rate: number; createdAt: string | null } | undefined
    const reasons: string[] = ['no model yet']
    const watch = new PipelineWatch(
      { name: 'orders', reasons: () => reasons, lag: () => 7, model: () => model },
      new LiveHub(),
    )
    expect((await watch.pipelines())[0]).toMatchObject({ state: 'waiting', reasons, lag: 7, records: 0 })
    model = { version: 3, rate: 0.05, createdAt: null }
    reasons.length = 0
    const batch = scoredBatch({ pipeline: 'orders', rows: 410 })
    watch.observe(batch)
    const [status] = await watch.pipelines()
    const anomalies = batch.verdict.filter((verdict) => verdict === 1).length
    expect(status).toMatchObject({
      state: 'running',
      records: 410,
      anomalies,
      unscored: 10,
      model_version: 3,
    })
    expect(status.records_per_second).toBeGreaterThan(0)
    expect(status.realised_rate).toBeCloseTo(anomalies / 400, 12)
    reasons.push('a sink is slow')
    expect((await watch.pipelines())[0].state).toBe('degraded')
    watch.end('failed', 'the circuit broke')
    expect((await watch.pipelines())[0]).toMatchObject({ state: 'failed', reasons: ['the circuit broke'] })
  })

  it('keeps looks at drift and tells of those that trigger', async () => {
    const hub = new LiveHub()
    const events: LiveEvent[] = []
    hub.subscribe((event) => events.push(event))
    const watch = new PipelineWatch({ name: 'orders', reasons: () => [], model: () => undefined }, hub)
    const look = { from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', records: 10, fields: [] }
    watch.drifted({ ...look, triggered: [] })
    watch.drifted({ ...look, triggered: ['amount'] })
    expect(events).toEqual([
      { kind: 'drift', pipeline: 'orders', at: look.to, text: 'no field has drifted' },
      { kind: 'drift', pipeline: 'orders', at: look.to, text: 'drifted: amount' },
    ])
    expect((await watch.drift('orders', 1))[0].triggered).toEqual(['amount'])
    expect(await watch.drift('others', 9)).toEqual([])
  })

  it('keeps episodes, looks and its status in the store, and tries again what was not taken', async () => {
    const store = new MemoryScoreStore()
    const watch = new PipelineWatch(
      { name: 'orders', reasons: () => [], model: () => undefined },
      new LiveHub(),
      store,
    )
    const look = { from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', records: 10, fields: [] }
    watch.episode(EPISODE)
    watch.drifted({ ...look, triggered: [] })
    const put = vi.spyOn(store, 'putDrift').mockRejectedValueOnce(new Error('the disk is full'))
    await expect(watch.report()).rejects.toThrow('the disk is full')
    watch.episode({ ...EPISODE, anomalies: 13 })
    await watch.report()
    expect(put).toHaveBeenCalledTimes(2)
    expect((await store.episodes('orders', 9)).map(({ notice }) => notice.anomalies)).toEqual([13])
    expect(await store.drift('orders', 9)).toEqual([{ ...look, triggered: [] }])
    expect((await store.statuses())[0].notice).toMatchObject({ name: 'orders', state: 'waiting' })
    watch.end('stopped', 'by hand')
    await watch.report()
    expect((await store.statuses())[0].notice).toMatchObject({ state: 'stopped', reasons: ['by hand'] })
  })
})
