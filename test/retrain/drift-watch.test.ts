import { describe, expect, it } from 'vitest'
import { MemoryRetrainQueue } from '../../connectors/memory/retrain-queue.ts'
import type { DriftReport } from '../../src/core/ports.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { driftReference } from '../../src/detect/drift/drift-reference.ts'
import { DriftWatch } from '../../src/retrain/drift-watch.ts'

const draw = random(4)
const batch = (rows: number, shift = 0): RecordBatch =>
  batchOfRows(Array.from({ length: rows }, () => ({ load: draw.normal() + shift })))
const scored = (records: RecordBatch, modelVersion = 1) => ({
  batch: records,
  pipeline: 'p',
  modelVersion,
  scoredAt: Date.now(),
  threshold: 0.001,
  logProb: new Float64Array(records.rows),
  score: new Float64Array(records.rows),
  pValue: Float64Array.from({ length: records.rows }, draw.uniform),
  pMethod: new Uint8Array(records.rows),
  verdict: new Uint8Array(records.rows),
  reasons: new Map(),
  attributions: new Map(),
})
const reference = driftReference([batch(20_000)], ['load'])

function watching(action: 'off' | 'warn' | 'retrain') {
  const queue = new MemoryRetrainQueue()
  const looks: DriftReport[] = []
  const told: string[] = []
  const logger = { ...SILENT, warn: (_: object, message = '') => void told.push(message) }
  const onLook = (look: DriftReport) => void looks.push(look)
  const watch = new DriftWatch({ pipeline: 'p', action, queue, debounceMs: 60_000, logger, onLook })
  return { queue, looks, told, watch }
}

describe('DriftWatch', () => {
  it('asks for one retraining with the field and the effect in its reason', async () => {
    const { queue, looks, told, watch } = watching('retrain')
    for (let i = 0; i < 5; i++) watch.observe(scored(batch(1000, 1)), reference)
    expect(looks).toHaveLength(5)
    expect(told).toHaveLength(1)
    const jobs = await queue.jobs({})
    expect(jobs).toHaveLength(1)
    expect(jobs[0]).toMatchObject({ state: 'delayed', request: { trigger: 'drift', pipeline: 'p' } })
    expect(jobs[0].request.reason).toMatch(/^drifted: load \(stability index [\d.]+\)$/)
  })

  it('does not put the job off while the same field stays drifted, and asks again long after it', async () => {
    let clock = Date.now()
    const asked: string[] = []
    const queue = new MemoryRetrainQueue()
    const enqueue = queue.enqueue.bind(queue)
    queue.enqueue = (request) => {
      asked.push(request.reason)
      return enqueue(request)
    }
    const watch = new DriftWatch({
      pipeline: 'p',
      action: 'retrain',
      queue,
      debounceMs: 60_000,
      logger: SILENT,
      onLook: () => {},
      now: () => clock,
    })
    const look = () => watch.observe(scored(batch(1000, 1)), reference)
    for (let i = 0; i < 6; i++) {
      look()
      clock += 30_000
    }
    expect(asked).toHaveLength(1)
    clock += 360_000
    look()
    expect(asked).toHaveLength(2)
  })

  it('asks anew where the job that is open runs already: its window may be older than the drift', async () => {
    const { queue, watch } = watching('retrain')
    const stop = new AbortController()
    let finish = (): void => {}
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const working = queue.work(async () => {
      await held
      return {}
    }, stop.signal)
    const { id } = await queue.enqueue({ pipeline: 'p', trigger: 'cli', reason: 'because', who: 'ada' })
    await expect.poll(async () => (await queue.job(id))?.state).toBe('active')
    const look = async (): Promise<void> => {
      watch.observe(scored(batch(1000, 1)), reference)
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let i = 0; i < 3; i++) await look()
    finish()
    await expect.poll(async () => (await queue.job(id))?.state).toBe('completed')
    await look()
    expect(await queue.jobs({ states: ['delayed'] })).toHaveLength(1)
    stop.abort()
    await working
  })

  it.each(['warn', 'off'] as const)('asks for nothing when told to %s', async (action) => {
    const { queue, looks, told, watch } = watching(action)
    for (let i = 0; i < 3; i++) watch.observe(scored(batch(1000, 1)), reference)
    expect(await queue.jobs({})).toEqual([])
    expect([looks.length, told.length]).toEqual(action === 'warn' ? [3, 1] : [0, 0])
  })

  it('compares with the reference of the model that scores now', () => {
    const { looks, told, watch } = watching('warn')
    const shifted = driftReference([batch(20_000, 1)], ['load'])
    for (let i = 0; i < 3; i++) watch.observe(scored(batch(1000, 1), 2), shifted)
    expect(looks).toHaveLength(3)
    expect(told).toEqual([])
  })
})
