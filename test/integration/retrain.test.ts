import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { pipelineSchema } from '../../config/pipeline.ts'
import { bullmqOptions } from '../../connectors/bullmq/options.ts'
import { BullmqRetrainQueue } from '../../connectors/bullmq/retrain-queue.ts'
import { FsCheckpointStore } from '../../connectors/fs/checkpoint-store.ts'
import { FsModelRegistry } from '../../connectors/fs/model-registry.ts'
import { PostgresScoreStore } from '../../connectors/postgres/score-store.ts'
import { runTrainer } from '../../src/app/jobs/trainer.ts'
import { openLabels } from '../../src/app/open-labels.ts'
import { packageRoot } from '../../src/core/package-root.ts'
import type { RetrainJob } from '../../src/core/ports.ts'
import { random } from '../../src/core/random.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { Detector } from '../../src/detect/detector.ts'
import { JobCheckpoints } from '../../src/retrain/job-checkpoints.ts'
import { type RetrainPlan, retrainHandler } from '../../src/retrain/retrain-handler.ts'
import { jobContext } from '../retrain/job-context.ts'
import { startRedis } from '../services/redis.ts'
import { shared } from '../services/shared.ts'
import { fitOf } from './fit-processes.ts'
import { batch, flights, planOf, ROWS } from './flight-plan.ts'

const PIPELINE = 'flights'
const REQUEST = { pipeline: PIPELINE, trigger: 'cli', reason: 'because', who: 'ada' } as const

describe('retraining over Redis', () => {
  const cleanup: (() => unknown)[] = []
  afterEach(async () => {
    for (const undo of cleanup.splice(0).reverse()) await undo()
  })

  /** Queue on Redis, registry and checkpoints in a folder. */
  async function world(url?: string) {
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-retrain-'))
    cleanup.push(() => rmSync(folder, { recursive: true, force: true }))
    const settings = { url: url ?? (await shared('redis')), prefix: `test-${randomUUID()}` }
    const options = bullmqOptions.parse({ ...settings, backoff_ms: 10, lock_ms: 1000 })
    const queue = new BullmqRetrainQueue({ ...options, prefix: `${options.prefix}:${PIPELINE}` })
    await queue.open()
    const registry = new FsModelRegistry(join(folder, 'models'))
    cleanup.push(() => queue[Symbol.asyncDispose]())
    const kept = join(folder, 'models', '.checkpoints', PIPELINE)
    const checkpointed = (id: string): boolean =>
      filesOf(kept).some((file) => file.startsWith(`${id}.`) && /\.\d+\.checkpoint$/.test(file))
    const handler = (plan: RetrainPlan) =>
      retrainHandler({
        registry,
        checkpoints: new JobCheckpoints(new FsCheckpointStore(kept)),
        plan: () => plan,
        load: (artifact, modelVersion) => Detector.load(artifact, { modelVersion, workers: 0 }),
      })
    const work = (plan: RetrainPlan): (() => Promise<void>) => {
      const stop = new AbortController()
      const working = queue.work(handler(plan), stop.signal)
      const end = async () => {
        stop.abort()
        await working
      }
      cleanup.push(end)
      return end
    }
    const state = async (id: string) => (await queue.job(id))?.state
    const ended = async (id: string): Promise<RetrainJob> => {
      await expect
        .poll(() => state(id), { timeout: 120_000, interval: 100 })
        .toMatch(/completed|failed|cancelled/)
      return (await queue.job(id))!
    }
    return { folder, settings, queue, registry, handler, work, state, ended, checkpointed, kept }
  }
  const until = (condition: () => boolean) =>
    expect.poll(condition, { timeout: 60_000, interval: 50 }).toBe(true)

  it('makes version 1 the champion, and rejects a challenger that learned nonsense, with the reason', async () => {
    const { queue, registry, work, ended } = await world()
    const first = planOf(0.2)
    const stop = work(first)
    const made = await ended((await queue.enqueue(REQUEST)).id)
    expect(made).toMatchObject({ state: 'completed', result: { version: 1, promoted: true } })
    expect((await registry.alias(PIPELINE, 'champion'))?.version).toBe(1)
    await stop()

    const rows = flights(ROWS, 2)
    const minutes = random(9).shuffle(rows.map((row) => row.minutes))
    const nonsense = rows.map((row, i) => (i < 0.9 * ROWS ? { ...row, minutes: minutes[i] } : row))
    work(planOf(0.2, [batch(nonsense)]))
    const worse = await ended((await queue.enqueue(REQUEST)).id)
    expect(worse).toMatchObject({ state: 'completed', result: { version: 2, promoted: false } })
    expect(worse.result?.decision).toMatch(/^rejected: .*log-density worse by/)
    expect((await registry.alias(PIPELINE, 'champion'))?.version).toBe(1)
  })

  it('learns what people said of records: the labels of a PostgreSQL store change the model', async () => {
    const { folder, settings, queue, registry, ended } = await world()
    const lines = [
      ...flights(ROWS, 1),
      ...Array.from({ length: 60 }, () => ({ distance: 900, minutes: 600, cabin: 'A' })),
    ]
    const data = join(folder, 'data.csv')
    const csv = lines.map((row) => Object.values(row).join(','))
    writeFileSync(data, ['distance,minutes,cabin', ...csv, ''].join('\n'))
    const store = { url: await shared('postgres'), schema: `labels_${randomUUID().replaceAll('-', '')}` }
    await using labels = new PostgresScoreStore(store)
    await labels.open()
    const config = pipelineSchema.parse({
      name: PIPELINE,
      source: { type: 'file', paths: [data] },
      alerts: { rate: 0.02 },
      queue: { type: 'bullmq', ...settings, lock_ms: 1000 },
      registry: { type: 'fs', path: join(folder, 'models') },
      store: { type: 'postgres', ...store },
      retrain: { min_records: 100 },
      model: { effort: 0.2 },
    })
    await using people = await openLabels(config)
    for (let row = ROWS; row < ROWS + 60; row++) await people.say({ id: `${data}-${row}`, label: 'anomaly' })
    await people.say({ id: `${data}-7`, label: 'false_alarm' })
    const stop = new AbortController()
    const training = runTrainer(config, {}, stop.signal, SILENT)
    const job = await ended((await queue.enqueue(REQUEST)).id)
    stop.abort()
    await training
    expect(job).toMatchObject({ state: 'completed', result: { window: { labelled: 60, kept: ROWS } } })
    await using detector = await Detector.load(await registry.get(PIPELINE, 1), { workers: 0 })
    expect(detector.manifest.lineage.labelled).toEqual({ anomalies: 0, false_alarms: 1 })
    const [clump] = await detector.score([{ distance: 900, minutes: 600, cabin: 'A' }])
    expect(clump.verdict).toBe('anomaly')
  })

  it('goes on from the checkpoints after kill −9 of the fit, twice', async () => {
    const { queue, registry, work, ended, checkpointed, kept } = await world()
    work(planOf(0.5))
    const { id } = await queue.enqueue(REQUEST)
    const killed: number[] = []
    for (let kill = 0; kill < 2; kill++) {
      await until(() => checkpointed(id) && fitOf(process.pid, killed) !== undefined)
      const pid = fitOf(process.pid, killed)!
      killed.push(pid)
      process.kill(pid, 'SIGKILL')
    }
    const job = await ended(id)
    expect(job).toMatchObject({ state: 'completed', attempts: 3, result: { version: 1, promoted: true } })
    expect(job.log.filter((line) => line.startsWith('goes on from the checkpoints')).length).toBeGreaterThan(
      0,
    )
    expect(await registry.list(PIPELINE)).toHaveLength(1)
    expect(filesOf(kept)).toEqual([])
  })

  it('gives the job of a trainer killed −9 to the next trainer, which goes on under the same id', async () => {
    const { folder, settings, queue, registry, state, ended, checkpointed } = await world()
    const lines = flights(ROWS, 1).map((row) => Object.values(row).join(','))
    writeFileSync(join(folder, 'data.csv'), ['distance,minutes,cabin', ...lines, ''].join('\n'))
    const file = join(folder, 'pipeline.yaml')
    writeFileSync(
      file,
      JSON.stringify({
        name: PIPELINE,
        source: { type: 'file', paths: [join(folder, 'data.csv')] },
        alerts: { rate: 0.02 },
        queue: { type: 'bullmq', ...settings, backoff_ms: 10, lock_ms: 1000 },
        registry: { type: 'fs', path: join(folder, 'models') },
        retrain: { min_records: 100 },
        model: { effort: 0.5 },
      }),
    )
    const trainer = (): ChildProcess => {
      const main = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
      const child = spawn(process.execPath, [main, 'trainer', file], { stdio: 'ignore' })
      cleanup.push(() => child.kill('SIGKILL'))
      return child
    }
    const { id } = await queue.enqueue(REQUEST)
    const first = trainer()
    await until(() => checkpointed(id))
    first.kill('SIGKILL')
    await once(first, 'exit')
    expect(await state(id)).not.toBe('completed')
    const second = trainer()
    const job = await ended(id)
    expect(job).toMatchObject({ state: 'completed', result: { version: 1, promoted: true } })
    expect(job.log.join('\n')).toContain('goes on from the checkpoints')
    expect(await registry.list(PIPELINE)).toHaveLength(1)
    second.kill('SIGTERM')
    expect(await once(second, 'exit')).toEqual([0, null])
  })

  it('refuses the model of a trainer that wakes up after another took its job', async () => {
    const { registry, handler } = await world()
    const [fenced, asleep] = [new EventEmitter(), new EventEmitter()]
    const plan = planOf(0.05)
    const zombie = handler({
      ...plan,
      async *window(signal) {
        const woken = once(asleep, 'wake')
        fenced.emit('fenced')
        await woken
        yield* plan.window(signal)
      },
    })
    const hasFence = once(fenced, 'fenced')
    const outcome = zombie(jobContext({ id: '7', request: REQUEST, created_at: '' })).catch(
      (error: unknown) => error,
    )
    await hasFence
    expect(await handler(plan)(jobContext({ id: '7', request: REQUEST, created_at: '' }))).toMatchObject({
      version: 1,
    })
    asleep.emit('wake')
    expect(await outcome).toMatchObject({ code: 'FENCE_STALE' })
    expect(await registry.list(PIPELINE)).toHaveLength(1)
  })

  it('stops a running fit within seconds when its job is cancelled', async () => {
    const { queue, work, ended, checkpointed, kept } = await world()
    work(planOf(1))
    const { id } = await queue.enqueue(REQUEST)
    await until(() => checkpointed(id))
    await queue.cancel(id)
    expect(await ended(id)).toMatchObject({ state: 'cancelled' })
    await until(() => fitOf(process.pid) === undefined)
    expect(filesOf(kept)).toEqual([])
  })

  it('finishes a job in the middle of which Redis was killed and started again', async () => {
    const server = await startRedis()
    cleanup.push(() => server[Symbol.asyncDispose]())
    const { queue, work, ended, checkpointed } = await world(server.url)
    work(planOf(0.3))
    const { id } = await queue.enqueue(REQUEST)
    await until(() => checkpointed(id))
    await server.kill()
    await server.start()
    expect(await ended(id)).toMatchObject({ state: 'completed', result: { promoted: true } })
  })
})

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
