import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import { MemoryRetrainQueue } from '../../connectors/memory/retrain-queue.ts'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { LiveHub } from '../../src/api/live-hub.ts'
import { LiveWatch } from '../../src/api/live-watch.ts'
import { apiOptions } from '../../src/api/options.ts'
import { Pipelines } from '../../src/api/pipelines.ts'
import type { LiveEvent } from '../../src/core/ports.ts'
import { scoredBatch } from '../conformance/scored-batch.ts'
import { STATUS } from './served-api.ts'

async function watched() {
  const store = new MemoryScoreStore()
  const registry = new MemoryModelRegistry()
  const queue = new MemoryRetrainQueue()
  const feed = new LiveHub()
  const deps = { options: apiOptions.parse({}), store, registry, queue, feed, notices: store }
  const watch = new LiveWatch(deps, new Pipelines(deps))
  const events: LiveEvent[] = []
  const leave = watch.subscribe((event) => events.push(event))
  await watch.look()
  const told = (kind: LiveEvent['kind']) => events.filter((event) => event.kind === kind)
  return { store, registry, queue, feed, watch, events, told, leave }
}

const live = (rows: number) => {
  const scored = scoredBatch({ pipeline: 'orders', rows })
  const now = Date.now()
  return {
    ...scored,
    batch: { ...scored.batch, eventTime: Float64Array.from({ length: rows }, (_, i) => now - rows + i) },
  }
}

describe('a live watch', () => {
  it('tells of jobs as they come and go on, and not of how things stood', async () => {
    const { queue, watch, told, leave } = await watched()
    const request = { pipeline: 'orders', trigger: 'cli', reason: 'why', who: 'ada' } as const
    const { id } = await queue.enqueue(request)
    await watch.look()
    expect(told('job')).toMatchObject([{ pipeline: 'orders', job: { id, state: 'waiting' } }])
    await watch.look()
    expect(told('job').length).toBe(1)
    await queue.cancel(id)
    await watch.look()
    expect(told('job').at(-1)).toMatchObject({ job: { id, state: 'cancelled' } })
    leave()
  })

  it('tells of new versions and of other champions, whoever made them', async () => {
    const { registry, watch, told, leave } = await watched()
    await registry.put('orders', Buffer.from('a'), {}, await registry.fence('orders'))
    await watch.look()
    expect(told('model')).toMatchObject([{ pipeline: 'orders', text: '1 versions, no champion' }])
    await registry.setAlias('orders', 'champion', 1, 'ada', 'first')
    await watch.look()
    expect(told('model').at(-1)).toMatchObject({ text: 'v1 is champion' })
    leave()
  })

  it('tells of the scores, anomalies, episodes and drift of a pipeline that runs elsewhere', async () => {
    const { store, watch, told, leave } = await watched()
    await store.append(live(50))
    await vi.waitFor(() => expect(told('status').length).toBeGreaterThan(0), { timeout: 10_000 })
    const before = { scores: told('scores').length, anomalies: told('anomaly').length }
    const more = live(90)
    await store.append(more)
    const episode = {
      id: 'e1',
      pipeline: 'orders',
      entity: null,
      started_at: new Date().toISOString(),
      ended_at: null,
      anomalies: 1,
      max_score: 3,
      severity: 'minor' as const,
      fields: [],
    }
    await store.putEpisode(episode)
    const look = { from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', records: 10, fields: [] }
    await store.putDrift('orders', { ...look, triggered: ['amount'] })
    for (let turn = 0; turn < 3; turn++) await watch.look()
    expect(told('scores').length).toBe(before.scores + 1)
    expect(told('scores').at(-1)).toMatchObject({ pipeline: 'orders', records: 40 })
    expect(told('anomaly').length).toBeGreaterThan(before.anomalies)
    expect(told('episode')).toMatchObject([{ pipeline: 'orders', episode }])
    expect(told('drift')).toMatchObject([{ pipeline: 'orders', text: 'amount' }])
    leave()
  })

  it('shows a pipeline as the processes that run it tell, together, until they are silent', async () => {
    const { store, watch, told, leave } = await watched()
    await store.putStatus('a', { ...STATUS, state: 'running', reasons: [] })
    await store.putStatus('b', { ...STATUS, lag: null })
    await store.putStatus('c', {
      ...STATUS,
      state: 'stopped',
      reasons: ['the process that ran it has ended'],
    })
    for (let turn = 0; turn < 3; turn++) await watch.look()
    expect(told('status').at(-1)).toMatchObject({
      status: { name: 'orders', state: 'degraded', reasons: STATUS.reasons, records: 800, lag: 12 },
    })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    for (let turn = 0; turn < 3; turn++) await watch.look()
    vi.useRealTimers()
    expect(told('status').at(-1)).toMatchObject({ status: { state: 'stopped' } })
    leave()
  })

  it('passes on the feed of this process, and looks no further once nobody listens', async () => {
    const { feed, registry, events, leave } = await watched()
    feed.publish({ kind: 'drift', pipeline: 'orders', at: '', text: 'passed on' })
    expect(events.at(-1)).toMatchObject({ text: 'passed on' })
    leave()
    const { length } = events
    const models = vi.spyOn(registry, 'models')
    await sleep(1200)
    expect(models).not.toHaveBeenCalled()
    expect(events.length).toBe(length)
  })
})
