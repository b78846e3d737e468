import type { Job } from 'bullmq'
import { isoOrNull } from '../../src/core/iso-times.ts'
import type { JobState, RetrainJob, RetrainProgress, RetrainRequest } from '../../src/core/ports.ts'

/** What BullMQ keeps of a request. `cancelled` is set by whoever cancels; the worker that runs the job watches it. */
export interface JobData {
  readonly request: RetrainRequest
  readonly cancelled?: boolean
}

const STATES: Readonly<Record<string, JobState>> = {
  waiting: 'waiting',
  prioritized: 'waiting',
  'waiting-children': 'waiting',
  delayed: 'delayed',
  active: 'active',
  completed: 'completed',
  failed: 'failed',
}

/** A BullMQ job as the port shows it. */
export async function jobView(job: Job<JobData>, log: readonly string[]): Promise<RetrainJob> {
  const state = STATES[await job.getState()] ?? 'waiting'
  const progress = (typeof job.progress === 'object' ? job.progress : undefined) as
    | RetrainProgress
    | undefined
  return {
    id: job.id ?? '',
    request: job.data.request,
    state: job.data.cancelled && state !== 'active' && state !== 'completed' ? 'cancelled' : state,
    attempts: job.attemptsStarted ?? 0,
    created_at: new Date(job.timestamp).toISOString(),
    started_at: isoOrNull(job.processedOn),
    finished_at: isoOrNull(job.finishedOn),
    progress: progress ?? { stage: 'queued', fraction: 0 },
    result: job.returnvalue ?? null,
    error: job.failedReason ?? null,
    log,
  }
}
