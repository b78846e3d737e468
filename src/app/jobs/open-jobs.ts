import { setTimeout as sleep } from 'node:timers/promises'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { SurprisalError, throwIfAborted } from '../../core/errors.ts'
import type { RetrainJob } from '../../core/ports.ts'
import { connectQueue } from '../connect.ts'
import { httpApi } from '../http/http-api.ts'
import { HttpJobs, type Jobs } from './http-jobs.ts'

const JOBS_WAIT =
  'jobs of queue.type memory wait inside surprisal run; start it with api.listen, or use queue: { type: bullmq, url: redis://… }'

/** A pipeline's jobs: on Redis directly, those of a memory queue through the API of the process that holds them. */
export async function openJobs(config: PipelineConfig): Promise<Jobs> {
  if (config.queue.type === 'memory') return new HttpJobs(httpApi(config, JOBS_WAIT))
  const queue = await connectQueue(config)
  try {
    await queue.open()
    return queue
  } catch (error) {
    await queue[Symbol.asyncDispose]()
    throw error
  }
}

/** JOB_NOT_FOUND where there is none. */
export async function jobOf(jobs: Jobs, id: string): Promise<RetrainJob> {
  const job = await jobs.job(id)
  if (job !== undefined) return job
  throw new SurprisalError(
    'JOB_NOT_FOUND',
    `the queue holds no job "${id}"; surprisal jobs list shows what it holds`,
  )
}

const LOOK_MS = 500

/** Waits until a job has ended. JOB_FAILED or JOB_CANCELLED with the job's reason; ABORTED leaves the job running. */
export async function jobEnd(
  jobs: Jobs,
  id: string,
  signal: AbortSignal,
  onLook: (job: RetrainJob) => void,
): Promise<RetrainJob> {
  for (;;) {
    throwIfAborted(signal)
    const job = await jobOf(jobs, id)
    onLook(job)
    if (job.state === 'completed') return job
    if (job.state === 'failed') throw new SurprisalError('JOB_FAILED', `job ${id}: ${job.error}`)
    if (job.state === 'cancelled') throw new SurprisalError('JOB_CANCELLED', `job ${id}: ${job.error}`)
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** Tries an ended job again. QUERY_INVALID for one that is open or has succeeded. */
export async function retryJob(jobs: Jobs, id: string): Promise<RetrainJob> {
  const { state } = await jobOf(jobs, id)
  if (state === 'failed' || state === 'cancelled') return jobs.retry(id)
  throw new SurprisalError(
    'QUERY_INVALID',
    `job ${id} is ${state}: only a failed or cancelled job is tried again; surprisal retrain asks for a new one`,
  )
}
