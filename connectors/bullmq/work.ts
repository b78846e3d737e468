import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { isSurprisalError, messageOf, SurprisalError } from '../../src/core/errors.ts'
import type { JobHandler, RetrainJob, RetrainRequest } from '../../src/core/ports.ts'
import { repeatStrategy } from './cron.ts'
import type { JobData } from './job-view.ts'
import type { BullmqOptions } from './options.ts'

interface Shared {
  readonly redis: Redis
  readonly queue: string
  readonly options: BullmqOptions
  readonly signal: AbortSignal
}

/** How often an active job looks for its cancel mark: a poll cannot be missed, unlike a message. */
const CANCEL_POLL_MS = 500
/** A trainer may be killed this often in one job before the job counts as the cause. */
const MAX_STALLS = 20
/** A worker that is told to stop has so long to give its jobs back. */
const CLOSE_MS = 10_000

export async function workJobs(
  shared: Shared & {
    readonly handler: JobHandler
    readonly view: (job: Job<JobData>) => Promise<RetrainJob>
    readonly isCancelled: (id: string) => Promise<boolean>
  },
): Promise<void> {
  const { handler, view, isCancelled, options, signal } = shared
  await runWorker<JobData>(shared, options.concurrency, async (job, token) => {
    const cancelled = new AbortController()
    const check = async (): Promise<void> => {
      if (await isCancelled(job.id as string)) cancelled.abort(cancelledError(job))
    }
    const watch = setInterval(() => void check().catch(() => {}), CANCEL_POLL_MS)
    try {
      if (job.data.cancelled) cancelled.abort(cancelledError(job))
      const shown = await view(job)
      const either = AbortSignal.any([signal, cancelled.signal])
      // A worker that shuts down may still be handed a job: a handler would wait in vain for a signal that has fired.
      either.throwIfAborted()
      return await handler({
        job: shown,
        signal: either,
        last: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
        progress: (update) => job.updateProgress(update),
        log: async (line) => {
          await job.log(line)
        },
      })
    } catch (error) {
      if (cancelled.signal.aborted) throw new UnrecoverableError(messageOf(cancelled.signal.reason))
      if (signal.aborted) {
        await job.moveToWait(token)
        throw new WaitingError()
      }
      if (isSurprisalError(error) && !error.retryable)
        throw new UnrecoverableError(`${error.code}: ${error.message}`)
      throw error
    } finally {
      clearInterval(watch)
    }
  })
}

export async function workTicks(
  shared: Shared & { readonly enqueue: (request: RetrainRequest) => Promise<unknown> },
): Promise<void> {
  await runWorker<RetrainRequest>(shared, 1, async (job) => {
    await shared.enqueue(job.data)
  })
}

async function runWorker<Data>(
  { queue, redis, options, signal }: Shared,
  concurrency: number,
  process: (job: Job<Data>, token?: string) => Promise<unknown>,
): Promise<void> {
  if (signal.aborted) return
  const connection = redis.duplicate({ lazyConnect: false })
  const worker = new Worker<Data>(queue, process, {
    connection,
    prefix: options.prefix,
    concurrency,
    lockDuration: options.lock_ms,
    stalledInterval: options.lock_ms,
    maxStalledCount: MAX_STALLS,
    settings: { repeatStrategy },
  })
  // A lost connection is reconnected by ioredis; without a listener it would end the process.
  worker.on('error', () => {})
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  // A close that meets a connection in the making may never end; the lock of a job it left runs out by itself.
  const closed = worker.close().then(() => true)
  if (!(await Promise.race([closed, sleep(CLOSE_MS, false)]))) worker.disconnect().catch(() => {})
  // BullMQ leaves a connection that it was given open, which would keep the process alive.
  connection.disconnect()
}

function cancelledError(job: Job<JobData>): SurprisalError {
  return new SurprisalError('JOB_CANCELLED', `job ${job.id} was cancelled`)
}
