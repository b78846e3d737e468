import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, type JobType, Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import { assertModelName } from '../../src/core/model-name.ts'
import type { JobHandler, JobState, RetrainJob, RetrainQueue, RetrainRequest } from '../../src/core/ports.ts'
import { repeatStrategy } from './cron.ts'
import { type JobData, jobView } from './job-view.ts'
import type { BullmqOptions } from './options.ts'
import { workJobs, workTicks } from './work.ts'

const CLOSE_MS = 5000
const JOBS = 'surprisal-retrain'
const TICKS = 'surprisal-ticks'
const TYPES: Readonly<Record<JobState, readonly JobType[]>> = {
  waiting: ['waiting', 'prioritized'],
  delayed: ['delayed'],
  active: ['active'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['failed', 'waiting', 'prioritized', 'delayed'],
}

/**
 * Retraining jobs on Redis. The deduplication id is the pipeline, so a pipeline has one open job. Cron schedules run
 * on a queue of their own, whose tick jobs enqueue: a scheduler's template carries no deduplication, and a tick must
 * not wait behind a fit.
 */
export class BullmqRetrainQueue implements RetrainQueue {
  readonly name = 'bullmq'
  private readonly redis: Redis
  private readonly queue: Queue<JobData>
  private readonly ticks: Queue<RetrainRequest>

  constructor(private readonly options: BullmqOptions) {
    this.redis = new Redis(options.url, { maxRetriesPerRequest: null, lazyConnect: true })
    this.redis.on('error', () => {})
    const shared = { connection: this.redis, prefix: options.prefix }
    this.queue = new Queue(JOBS, {
      ...shared,
      defaultJobOptions: {
        attempts: options.attempts,
        backoff: { type: 'exponential', delay: options.backoff_ms, jitter: 0.5 },
        removeOnComplete: { count: options.history },
        removeOnFail: { count: options.history },
      },
    })
    this.ticks = new Queue(TICKS, {
      ...shared,
      settings: { repeatStrategy },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: 10 },
    })
    for (const queue of [this.queue, this.ticks]) queue.on('error', () => {})
  }

  /** Asks once, without BullMQ's endless reconnecting, so that a wrong address is said and not waited for. */
  async open(): Promise<void> {
    const probe = new Redis(this.options.url, { lazyConnect: true, retryStrategy: () => null })
    probe.on('error', () => {})
    try {
      await probe.connect()
      const [, policy] = (await probe.config('GET', 'maxmemory-policy').catch(() => [])) as string[]
      if (policy !== undefined && policy !== 'noeviction') {
        throw new SurprisalError(
          'CONFIG_INVALID',
          `Redis runs with maxmemory-policy ${policy}, which drops jobs when memory is short: set it to noeviction`,
        )
      }
    } catch (cause) {
      if (cause instanceof SurprisalError) throw cause
      const { host, port } = probe.options
      throw new SurprisalError(
        'SERVICE_UNREACHABLE',
        `Redis at ${host}:${port} does not answer: ${messageOf(cause)}`,
        {
          cause,
        },
      )
    } finally {
      probe.disconnect()
    }
  }

  async enqueue(request: RetrainRequest): Promise<RetrainJob> {
    assertModelName(request.pipeline)
    const { pipeline, debounceMs: delay } = request
    const openId = await this.queue.getDeduplicationJobId(pipeline)
    const open = openId === null ? undefined : await this.queue.getJob(openId)
    // A job that waits to be tried again keeps its id: its checkpoint hangs on it.
    if (open !== undefined && open.attemptsMade > 0 && !(await open.isFailed())) return this.view(open)
    // Without a time to live the id is held until the job ends; a job that is still delayed is replaced.
    const job = await this.queue.add(
      pipeline,
      { request },
      {
        priority: request.priority ?? 100,
        deduplication: { id: pipeline, replace: true },
        ...(delay && { delay }),
      },
    )
    return this.view((await this.queue.getJob(job.id as string)) ?? job)
  }

  async job(id: string): Promise<RetrainJob | undefined> {
    const job = await this.queue.getJob(id)
    return job && this.view(job)
  }

  async jobs(filter: Parameters<RetrainQueue['jobs']>[0]): Promise<readonly RetrainJob[]> {
    const types = [...new Set((filter.states ?? (Object.keys(TYPES) as JobState[])).flatMap((s) => TYPES[s]))]
    const found = await this.queue.getJobs(types)
    const wanted = found.filter(
      (job) => filter.pipeline === undefined || job.data.request.pipeline === filter.pipeline,
    )
    const views = await Promise.all(wanted.map((job) => this.view(job)))
    return views
      .filter((view) => filter.states === undefined || filter.states.includes(view.state))
      .sort((a, b) => b.created_at.localeCompare(a.created_at))
      .slice(0, filter.limit ?? 100)
  }

  async cancel(id: string): Promise<void> {
    const job = await this.there(id)
    if ((await job.isCompleted()) || (await job.isFailed())) return
    await job.updateData({ ...job.data, cancelled: true })
    // Frees the pipeline for a new request; whoever picks this job up sees the mark and fails it at once.
    if (!(await job.isActive())) await job.removeDeduplicationKey()
    if (await job.isDelayed()) await job.promote()
  }

  async retry(id: string): Promise<RetrainJob> {
    const job = await this.there(id)
    return this.enqueue({ ...job.data.request, debounceMs: 0 })
  }

  async schedule(pipeline: string, cron: string | null, timezone = 'UTC'): Promise<void> {
    assertModelName(pipeline)
    if (cron === null) {
      await this.ticks.removeJobScheduler(pipeline)
      return
    }
    const reason = `cron ${cron} (${timezone})`
    const request: RetrainRequest = { pipeline, trigger: 'schedule', reason, who: 'scheduler' }
    try {
      await this.ticks.upsertJobScheduler(
        pipeline,
        { pattern: cron, tz: timezone },
        { name: pipeline, data: request },
      )
    } catch (cause) {
      throw new SurprisalError(
        'CONFIG_INVALID',
        `schedule ${JSON.stringify(cron)} in time zone ${timezone} is no cron expression: ${messageOf(cause)}`,
        { cause },
      )
    }
  }

  async schedules(): ReturnType<RetrainQueue['schedules']> {
    return (await this.ticks.getJobSchedulers()).map((scheduler) => ({
      pipeline: scheduler.key,
      cron: scheduler.pattern ?? '',
      timezone: scheduler.tz ?? 'UTC',
      next: scheduler.next === undefined ? '' : new Date(scheduler.next).toISOString(),
    }))
  }

  async work(handler: JobHandler, signal: AbortSignal): Promise<void> {
    const shared = { redis: this.redis, options: this.options, signal }
    await Promise.all([
      workJobs({
        ...shared,
        queue: JOBS,
        handler,
        view: (job) => this.view(job),
        isCancelled: async (id) => (await this.queue.getJob(id))?.data.cancelled === true,
      }),
      workTicks({ ...shared, queue: TICKS, enqueue: (request) => this.enqueue(request) }),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Closing waits for a connection in the making, which may never come.
    await Promise.race([
      Promise.allSettled([this.queue.close(), this.ticks.close()]),
      sleep(CLOSE_MS, undefined, { ref: false }),
    ])
    this.redis.disconnect()
  }

  private async view(job: Job<JobData>): Promise<RetrainJob> {
    const { logs } = await this.queue.getJobLogs(job.id as string)
    return jobView(job, logs)
  }

  private async there(id: string): Promise<Job<JobData>> {
    const job = await this.queue.getJob(id)
    if (job === undefined) throw new SurprisalError('JOB_NOT_FOUND', `there is no job ${JSON.stringify(id)}`)
    return job
  }
}
