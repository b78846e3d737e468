import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryModelRegistry } from '../../../connectors/memory/model-registry.ts'
import { MemoryRetrainQueue } from '../../../connectors/memory/retrain-queue.ts'
import { MemoryScoreStore } from '../../../connectors/memory/score-store.ts'
import { HttpApi } from '../../../src/app/http/http-api.ts'
import { openHttp } from '../../../src/app/http/open-http.ts'
import { HttpJobs } from '../../../src/app/jobs/http-jobs.ts'
import { jobEnd, jobOf, retryJob } from '../../../src/app/jobs/open-jobs.ts'
import { SurprisalError } from '../../../src/core/errors.ts'

const REQUEST = { pipeline: 'flights', trigger: 'cli', reason: 'new tariff', who: 'ada' } as const
const at = (url: string) => new HttpJobs(new HttpApi(url, undefined, 'start it with api.listen'))
const forever = new AbortController().signal

describe('HttpJobs on a running process', () => {
  const open: AsyncDisposable[] = []
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]()
  })

  async function running(): Promise<{ jobs: HttpJobs; queue: MemoryRetrainQueue }> {
    const [queue, registry, store] = [
      new MemoryRetrainQueue(),
      new MemoryModelRegistry(),
      new MemoryScoreStore(),
    ]
    await registry.put('flights', new Uint8Array(1), {}, await registry.fence('flights'))
    const options = { listen: '127.0.0.1:0', cors: [] }
    const http = await openHttp(options, { store, registry, queue, metrics: new Registry() })
    open.push(queue, http)
    return { jobs: at(http.url.replace(/\/$/, '')), queue }
  }

  it('asks for a job, lists it, and waits for its end', async () => {
    const { jobs, queue } = await running()
    const stop = new AbortController()
    const { id } = await jobs.enqueue(REQUEST)
    expect(
      (await jobs.jobs({ pipeline: 'flights', states: ['waiting'], limit: 5 })).map((job) => job.id),
    ).toEqual([id])
    const working = queue.work(async () => ({ version: 2 }), stop.signal)
    const ended = await jobEnd(jobs, id, forever, () => {})
    expect(ended).toMatchObject({
      state: 'completed',
      result: { version: 2 },
      request: { reason: 'new tariff' },
    })
    await expect(retryJob(jobs, id)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    stop.abort()
    await working
  })

  it('tells a failure with its reason, and tries it again', async () => {
    const { jobs, queue } = await running()
    const stop = new AbortController()
    const working = queue.work(async () => {
      throw new SurprisalError('DATA_INSUFFICIENT', 'found 3 records')
    }, stop.signal)
    const { id } = await jobs.enqueue(REQUEST)
    await expect(jobEnd(jobs, id, forever, () => {})).rejects.toMatchObject({
      code: 'JOB_FAILED',
      message: expect.stringContaining('found 3 records'),
    })
    expect((await retryJob(jobs, id)).id).not.toBe(id)
    stop.abort()
    await working
  })

  it('cancels, and says when there is no such job or nobody there', async () => {
    const { jobs } = await running()
    const { id } = await jobs.enqueue(REQUEST)
    await jobs.cancel(id)
    expect(await jobOf(jobs, id)).toMatchObject({ state: 'cancelled' })
    await expect(jobOf(jobs, 'x')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    await expect(at('http://127.0.0.1:9').jobs({})).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: expect.stringContaining('start it with api.listen'),
    })
  })
})
