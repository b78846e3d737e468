import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { bullmqOptions } from '../../connectors/bullmq/options.ts'
import { BullmqRetrainQueue } from '../../connectors/bullmq/retrain-queue.ts'
import { FsModelRegistry } from '../../connectors/fs/model-registry.ts'
import { random } from '../../src/core/random.ts'
import { fixture } from '../services/child.ts'
import { shared } from '../services/shared.ts'

const PIPELINE = 'flights'
const REQUEST = { pipeline: PIPELINE, trigger: 'cli', reason: 'because', who: 'ada' } as const
const STAGES = ['collect', 'fit', 'calibrate', 'evaluate', 'publish', 'promote'] as const

describe('trainers that are killed −9', () => {
  const cleanup: (() => unknown)[] = []
  afterEach(async () => {
    for (const undo of cleanup.splice(0).reverse()) await undo()
  })

  async function world(lock_ms: number) {
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-kills-'))
    cleanup.push(() => rmSync(folder, { recursive: true, force: true }))
    const r = random(3)
    const rows = Array.from({ length: 1300 }, () => {
      const distance = 200 + 2000 * r.uniform()
      return { distance, minutes: distance / 10 + 10 * r.normal(), cabin: 'ABC'[r.integer(3)] }
    })
    writeFileSync(join(folder, 'rows.json'), JSON.stringify(rows))
    const options = bullmqOptions.parse({
      url: await shared('redis'),
      prefix: `test-${randomUUID()}`,
      backoff_ms: 10,
      lock_ms,
    })
    const queue = new BullmqRetrainQueue(options)
    await queue.open()
    cleanup.push(() => queue[Symbol.asyncDispose]())
    const trainer = (stage?: (typeof STAGES)[number]): ChildProcess => {
      const settings = JSON.stringify({ options, folder, stage, effort: 0.05 })
      const child = fork(fixture('stopping-trainer.mjs'), [settings])
      cleanup.push(() => child.kill('SIGKILL'))
      return child
    }
    const done = async (id: string) => {
      await expect
        .poll(async () => (await queue.job(id))?.state, { timeout: 120_000, interval: 100 })
        .toMatch(/completed|failed/)
      return (await queue.job(id))!
    }
    return { folder, queue, registry: new FsModelRegistry(join(folder, 'models')), trainer, done }
  }

  it('at every stage, twice, still make one version of one job, which goes live', {
    timeout: 480_000,
  }, async () => {
    const { folder, queue, registry, trainer, done } = await world(1000)
    const { id } = await queue.enqueue(REQUEST)
    for (const stage of STAGES) {
      for (let kill = 0; kill < 2; kill++) {
        const child = trainer(stage)
        expect(await once(child, 'message')).toEqual([stage, undefined])
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
    trainer()
    const job = await done(id)
    expect(job).toMatchObject({ state: 'completed', result: { version: 1, promoted: true } })
    expect(job.log).toContain('an attempt before made version 1')
    expect(await registry.list(PIPELINE)).toHaveLength(1)
    expect((await registry.history(PIPELINE)).map(({ alias, version }) => [alias, version])).toEqual([
      ['champion', 1],
    ])
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual([])
  })

  it('leave their job to one of two that wait: it is trained once', async () => {
    // So long that a trainer which is slow keeps its job.
    const { queue, registry, trainer, done } = await world(60_000)
    const both = [trainer(), trainer()]
    const { id } = await queue.enqueue(REQUEST)
    expect(await done(id)).toMatchObject({ state: 'completed', attempts: 1, result: { version: 1 } })
    expect(await registry.list(PIPELINE)).toHaveLength(1)
    for (const child of both) {
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
    }
  })
})
