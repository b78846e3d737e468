import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { type BullmqOptions, bullmqOptions } from '../../connectors/bullmq/options.ts'
import { BullmqRetrainQueue } from '../../connectors/bullmq/retrain-queue.ts'
import { retrainQueueSuite } from '../conformance/retrain-queue.suite.ts'
import { startRedis } from '../services/redis.ts'
import { shared } from '../services/shared.ts'

const options = (url: string, extra: Partial<BullmqOptions> = {}): BullmqOptions => ({
  ...bullmqOptions.parse({ url, prefix: `test-${randomUUID()}`, attempts: 3, backoff_ms: 10, lock_ms: 1000 }),
  ...extra,
})
const request = { pipeline: 'flights', trigger: 'cli', reason: 'because', who: 'ada' } as const

retrainQueueSuite('bullmq', async () => {
  const settings = options(await shared('redis'))
  const opened: BullmqRetrainQueue[] = []
  return {
    open: async () => {
      const queue = new BullmqRetrainQueue(settings)
      await queue.open()
      opened.push(queue)
      return queue
    },
    close: async () => {
      await Promise.all(opened.map((queue) => queue[Symbol.asyncDispose]()))
    },
  }
})

describe('BullmqRetrainQueue', () => {
  const worker = (settings: BullmqOptions) =>
    fork(new URL('./fixtures/hanging-worker.mjs', import.meta.url), [JSON.stringify(settings)])

  it('gives the job of a worker killed −9, twice, to the next one, under the same id', async () => {
    const settings = options(await shared('redis'))
    const queue = new BullmqRetrainQueue(settings)
    await queue.open()
    const { id } = await queue.enqueue(request)
    for (let kill = 0; kill < 2; kill++) {
      const child = worker(settings)
      expect(await once(child, 'message')).toEqual([id, undefined])
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const stop = new AbortController()
    const ids: string[] = []
    const working = queue.work(async ({ job }) => {
      ids.push(job.id)
      return { finished: true }
    }, stop.signal)
    await expect.poll(async () => (await queue.job(id))?.state, { timeout: 30_000 }).toBe('completed')
    expect(ids).toEqual([id])
    stop.abort()
    await working
    await queue[Symbol.asyncDispose]()
  })

  it('goes on with a job after Redis was stopped and started again in the middle of it', async () => {
    const server = await startRedis()
    const queue = new BullmqRetrainQueue(options(server.url))
    await queue.open()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const stop = new AbortController()
    const working = queue.work(async () => {
      await held
      return { finished: true }
    }, stop.signal)
    const { id } = await queue.enqueue(request)
    await expect.poll(async () => (await queue.job(id))?.state).toBe('active')
    await server.kill()
    await server.start()
    release()
    await expect.poll(async () => (await queue.job(id))?.state, { timeout: 60_000 }).toBe('completed')
    stop.abort()
    await working
    await queue[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  it('refuses a Redis that evicts keys, and says so when none answers', async () => {
    const server = await startRedis()
    const client = new Redis(server.url)
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    client.disconnect()
    const evicting = new BullmqRetrainQueue(options(server.url))
    await expect(evicting.open()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await evicting[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    const nobody = new BullmqRetrainQueue(options(server.url))
    await expect(nobody.open()).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE' })
    await nobody[Symbol.asyncDispose]()
  })
})
