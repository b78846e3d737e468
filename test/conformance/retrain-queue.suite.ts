import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SurprisalError } from '../../src/core/errors.ts'
import type { JobHandler, JobState, RetrainJob, RetrainQueue } from '../../src/core/ports.ts'
import { request, untilStopped } from './retrain-jobs.ts'
import { scheduleRules } from './retrain-schedule.suite.ts'

export interface QueueWorld {
  /** A client of the same queue; a queue that lives in one process gives the same one each time. */
  open(): Promise<RetrainQueue>
  close(): Promise<void>
}

/** What every RetrainQueue promises. Implementations must be opened with 3 attempts and a back-off of some 10 ms. */
export function retrainQueueSuite(name: string, world: () => Promise<QueueWorld>): void {
  describe(`${name} keeps the promises of RetrainQueue`, () => {
    let shared: QueueWorld
    let queue: RetrainQueue
    let stop: AbortController
    let working: Promise<void>[]

    beforeEach(async () => {
      shared = await world()
      queue = await shared.open()
      stop = new AbortController()
      working = []
    })
    afterEach(async () => {
      stop.abort()
      await Promise.all(working)
      await shared.close()
    })

    const work = (handler: JobHandler, on = queue, signal = stop.signal): void => {
      working.push(on.work(handler, signal))
    }
    const reaches = async (id: string, state: JobState): Promise<RetrainJob> => {
      await expect
        .poll(async () => (await queue.job(id))?.state, { timeout: 20_000, interval: 20 })
        .toBe(state)
      return (await queue.job(id))!
    }

    it('has one open job per pipeline: a second request returns the first', async () => {
      const first = await queue.enqueue(request())
      const second = await queue.enqueue(request('flights', { reason: 'again' }))
      const other = await queue.enqueue(request('orders'))
      expect(second.id).toBe(first.id)
      expect(other.id).not.toBe(first.id)
      expect(first).toMatchObject({ state: 'waiting', attempts: 0, result: null, error: null })
      expect(await queue.jobs({ pipeline: 'flights' })).toHaveLength(1)
      expect(await queue.jobs({ states: ['waiting'] })).toHaveLength(2)
      expect(await queue.jobs({ limit: 1 })).toHaveLength(1)
    })

    it('also while the job runs; after it, a request is a new job', async () => {
      let finish = (): void => {}
      const held = new Promise<void>((resolve) => {
        finish = resolve
      })
      work(async () => {
        await held
        return { version: 7 }
      })
      const first = await queue.enqueue(request())
      await reaches(first.id, 'active')
      expect((await queue.enqueue(request())).id).toBe(first.id)
      finish()
      const done = await reaches(first.id, 'completed')
      expect(done).toMatchObject({ result: { version: 7 }, attempts: 1 })
      expect(Date.parse(done.finished_at!)).toBeGreaterThanOrEqual(Date.parse(done.started_at!))
      expect((await queue.enqueue(request())).id).not.toBe(first.id)
    })

    it('shows progress and log lines to anyone', async () => {
      work(async (context) => {
        await context.progress({ stage: 'fit', fraction: 0.4, step: 40, steps: 100, held_out_nll: 1.25 })
        await context.log('backend kernel: no GPU')
        return untilStopped(context)
      })
      const { id } = await queue.enqueue(request())
      const other = await shared.open()
      await expect
        .poll(async () => (await other.job(id))?.log, { timeout: 10_000 })
        .toEqual(['backend kernel: no GPU'])
      expect((await other.job(id))?.progress).toMatchObject({ stage: 'fit', step: 40, held_out_nll: 1.25 })
    })

    it('tries a retryable failure again, with the same id, until attempts run out', async () => {
      const attempts: string[] = []
      work(async ({ job }) => {
        attempts.push(job.id)
        throw new SurprisalError('SERVICE_UNREACHABLE', 'the broker is away')
      })
      const { id } = await queue.enqueue(request())
      expect((await reaches(id, 'failed')).error).toContain('the broker is away')
      expect(attempts).toEqual([id, id, id])
    })

    it('does not try a final failure again', async () => {
      let attempts = 0
      work(async () => {
        attempts++
        throw new SurprisalError('DATA_INSUFFICIENT', 'found 3 records, 80 are needed')
      })
      const { id } = await queue.enqueue(request())
      expect((await reaches(id, 'failed')).error).toContain('found 3 records')
      expect(attempts).toBe(1)
    })

    it('retries a failed job on request', async () => {
      let broken = true
      work(async () => {
        if (broken) throw new SurprisalError('DATA_INSUFFICIENT', 'too few')
        return { ok: true }
      })
      const { id } = await queue.enqueue(request())
      await reaches(id, 'failed')
      broken = false
      const again = await queue.retry(id)
      expect((await reaches(again.id, 'completed')).result).toEqual({ ok: true })
    })

    it('cancels a waiting job, and frees its pipeline', async () => {
      const { id } = await queue.enqueue(request())
      await queue.cancel(id)
      expect((await queue.job(id))?.state).toBe('cancelled')
      const ran: string[] = []
      const next = await queue.enqueue(request())
      work(async ({ job }) => {
        ran.push(job.id)
        return {}
      })
      await reaches(next.id, 'completed')
      expect(ran).toEqual([next.id])
      expect((await queue.job(id))?.state).toBe('cancelled')
    })

    it('cancels a running job through its signal', async () => {
      work(untilStopped)
      const { id } = await queue.enqueue(request())
      await reaches(id, 'active')
      await queue.cancel(id)
      expect((await reaches(id, 'cancelled')).error).toContain('cancelled')
      expect((await queue.enqueue(request())).id).not.toBe(id)
    })

    it('gives a job back when its worker shuts down, and the next worker finishes it', async () => {
      const first = new AbortController()
      work(untilStopped, queue, first.signal)
      const { id } = await queue.enqueue(request())
      await reaches(id, 'active')
      first.abort()
      await working[0]
      work(async () => ({ by: 'second' }), await shared.open())
      expect((await reaches(id, 'completed')).result).toEqual({ by: 'second' })
    })

    it('debounces: five triggers in a row are one job with the last reason, so long after the last', async () => {
      // Without a worker, which could start between two triggers that a busy machine pulls apart.
      let asked = 0
      for (let i = 1; i <= 5; i++) {
        asked = Date.now()
        await queue.enqueue(request('flights', { reason: `drift ${i}`, debounceMs: 300 }))
      }
      expect(await queue.jobs({})).toHaveLength(1)
      const ran: { readonly reason: string; readonly after: number }[] = []
      work(async ({ job }) => {
        ran.push({ reason: job.request.reason, after: Date.now() - asked })
        return {}
      })
      await expect
        .poll(async () => (await queue.jobs({ states: ['completed'] })).length, { timeout: 20_000 })
        .toBe(1)
      expect(ran.map(({ reason }) => reason)).toEqual(['drift 5'])
      expect(ran[0].after).toBeGreaterThanOrEqual(300)
      expect(await queue.jobs({})).toHaveLength(1)
    })

    it('has one open job per pipeline however often it is debounced and however late a worker comes', async () => {
      for (let i = 0; i < 3; i++) {
        await queue.enqueue(request('flights', { debounceMs: 50 }))
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
      expect(await queue.jobs({})).toHaveLength(1)
      const seen: string[] = []
      work(async ({ job }) => {
        seen.push(job.id)
        await queue.enqueue(request('flights', { debounceMs: 50 }))
        await new Promise((resolve) => setTimeout(resolve, 150))
        return {}
      })
      await expect.poll(async () => (await queue.jobs({ states: ['completed'] })).length).toBe(1)
      expect(await queue.jobs({})).toHaveLength(1)
      expect(seen).toHaveLength(1)
    })

    it('lets an urgent request overtake a debounced one', async () => {
      await queue.enqueue(request('flights', { reason: 'drift', debounceMs: 60_000 }))
      const urgent = await queue.enqueue(request('flights', { reason: 'now' }))
      const seen: string[] = []
      work(async ({ job }) => {
        seen.push(job.request.reason)
        return {}
      })
      await reaches(urgent.id, 'completed')
      expect(seen).toEqual(['now'])
    })

    it('works the most urgent first', async () => {
      await queue.enqueue(request('later', { priority: 50 }))
      await queue.enqueue(request('sooner', { priority: 1 }))
      const order: string[] = []
      work(async ({ job }) => {
        order.push(job.request.pipeline)
        return {}
      })
      await expect.poll(() => order.length, { timeout: 10_000 }).toBe(2)
      expect(order).toEqual(['sooner', 'later'])
    })

    it('never lets two workers train one pipeline at once', async () => {
      let running = 0
      let most = 0
      const handler: JobHandler = async () => {
        running++
        most = Math.max(most, running)
        await new Promise((resolve) => setTimeout(resolve, 30))
        running--
        return {}
      }
      work(handler)
      work(handler, await shared.open())
      for (let i = 0; i < 10; i++) {
        await Promise.all([queue.enqueue(request()), queue.enqueue(request())])
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      expect(most).toBe(1)
    })

    scheduleRules(() => queue, work)

    it('says which job is missing', async () => {
      expect(await queue.job('nothing')).toBeUndefined()
      await expect(queue.cancel('nothing')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
      await expect(queue.retry('nothing')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    })
  })
}
