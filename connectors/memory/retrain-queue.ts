import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { Cron } from 'croner'
import { isSurprisalError, messageOf, SurprisalError } from '../../src/core/errors.ts'
import type {
  JobHandler,
  JobState,
  RetrainJob,
  RetrainProgress,
  RetrainQueue,
  RetrainRequest,
} from '../../src/core/ports.ts'

type Entry = { -readonly [K in keyof RetrainJob]: RetrainJob[K] } & {
  readyAt: number
  controller?: AbortController
}

export interface MemoryQueueOptions {
  readonly attempts?: number
  readonly backoffMs?: number
  /** Ended jobs kept. */
  readonly history?: number
}

const OPEN: readonly JobState[] = ['waiting', 'delayed', 'active']
const QUEUED: RetrainProgress = { stage: 'queued', fraction: 0 }

/** The queue of a single process, and the reference: nothing to install, and gone with the process. */
export class MemoryRetrainQueue implements RetrainQueue {
  readonly name = 'memory'
  private readonly entries = new Map<string, Entry>()
  private readonly crons = new Map<string, Cron>()
  private readonly changes = new EventEmitter().setMaxListeners(0)

  private readonly attempts: number

  constructor(private readonly options: MemoryQueueOptions = {}) {
    this.attempts = options.attempts ?? 3
  }

  async open(): Promise<void> {}

  async enqueue(request: RetrainRequest): Promise<RetrainJob> {
    const open = [...this.entries.values()].find(
      (e) => e.request.pipeline === request.pipeline && OPEN.includes(e.state),
    )
    const readyAt = Date.now() + (request.debounceMs ?? 0)
    if (open !== undefined) {
      if (open.state === 'delayed' && open.attempts === 0) {
        Object.assign(open, { request, readyAt, state: readyAt > Date.now() ? 'delayed' : 'waiting' })
        this.changes.emit('change')
      }
      return view(open)
    }
    const entry: Entry = {
      id: randomUUID(),
      request,
      state: request.debounceMs ? 'delayed' : 'waiting',
      attempts: 0,
      created_at: new Date().toISOString(),
      started_at: null,
      finished_at: null,
      progress: QUEUED,
      result: null,
      error: null,
      log: [],
      readyAt,
    }
    this.entries.set(entry.id, entry)
    this.changes.emit('change')
    return view(entry)
  }

  async job(id: string): Promise<RetrainJob | undefined> {
    const entry = this.entries.get(id)
    return entry && view(entry)
  }

  async jobs(filter: Parameters<RetrainQueue['jobs']>[0]): Promise<readonly RetrainJob[]> {
    return [...this.entries.values()]
      .reverse()
      .filter((e) => filter.pipeline === undefined || e.request.pipeline === filter.pipeline)
      .filter((e) => filter.states === undefined || filter.states.includes(e.state))
      .slice(0, filter.limit ?? 100)
      .map(view)
  }

  async cancel(id: string): Promise<void> {
    const entry = this.entry(id)
    if (!OPEN.includes(entry.state)) return
    if (entry.controller === undefined) this.end(entry, 'cancelled', 'cancelled before it started')
    else entry.controller.abort(new SurprisalError('JOB_CANCELLED', `job ${id} was cancelled`))
  }

  async retry(id: string): Promise<RetrainJob> {
    return this.enqueue({ ...this.entry(id).request, debounceMs: 0 })
  }

  async schedule(pipeline: string, cron: string | null, timezone = 'UTC'): Promise<void> {
    this.crons.get(pipeline)?.stop()
    this.crons.delete(pipeline)
    if (cron === null) return
    const reason = `cron ${cron} (${timezone})`
    try {
      const timer = new Cron(cron, { timezone, unref: true }, () => {
        void this.enqueue({ pipeline, trigger: 'schedule', reason, who: 'scheduler' })
      })
      this.crons.set(pipeline, timer)
    } catch (cause) {
      throw new SurprisalError(
        'CONFIG_INVALID',
        `schedule ${JSON.stringify(cron)} in time zone ${timezone} is no cron expression: ${messageOf(cause)}`,
        { cause },
      )
    }
  }

  async schedules(): ReturnType<RetrainQueue['schedules']> {
    return [...this.crons].map(([pipeline, cron]) => ({
      pipeline,
      cron: cron.getPattern() ?? '',
      timezone: cron.options.timezone ?? 'UTC',
      next: cron.nextRun()?.toISOString() ?? '',
    }))
  }

  async work(handler: JobHandler, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = Date.now()
      const open = [...this.entries.values()].filter((e) => e.state === 'waiting' || e.state === 'delayed')
      const next = open
        .filter((e) => e.readyAt <= now)
        .sort((a, b) => (a.request.priority ?? 100) - (b.request.priority ?? 100))[0]
      if (next !== undefined) {
        await this.attempt(next, handler, signal)
        continue
      }
      const soonest = Math.min(...open.map((e) => e.readyAt - now), 60_000)
      // A timer of its own: Node 20 may collect a timed-out signal that only AbortSignal.any holds.
      const timer = setTimeout(() => this.changes.emit('change'), Math.max(1, soonest))
      await once(this.changes, 'change', { signal }).catch(() => {})
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cron of this.crons.values()) cron.stop()
    for (const entry of this.entries.values())
      entry.controller?.abort(new SurprisalError('ABORTED', 'shutting down'))
  }

  private async attempt(entry: Entry, handler: JobHandler, shutdown: AbortSignal): Promise<void> {
    entry.controller = new AbortController()
    entry.state = 'active'
    entry.attempts++
    entry.started_at = new Date().toISOString()
    const signal = AbortSignal.any([shutdown, entry.controller.signal])
    try {
      entry.result = await handler({
        job: view(entry),
        signal,
        last: entry.attempts >= this.attempts,
        progress: async (update) => {
          entry.progress = update
        },
        log: async (line) => {
          entry.log = [...entry.log, line]
        },
      })
      this.end(entry, 'completed', null)
    } catch (error) {
      if (entry.controller.signal.aborted)
        this.end(entry, 'cancelled', messageOf(entry.controller.signal.reason))
      else if (shutdown.aborted) Object.assign(entry, { state: 'waiting', attempts: entry.attempts - 1 })
      else if (entry.attempts < this.attempts && !(isSurprisalError(error) && !error.retryable)) {
        const wait = (this.options.backoffMs ?? 5000) * 2 ** (entry.attempts - 1)
        Object.assign(entry, { state: 'delayed', readyAt: Date.now() + wait, error: messageOf(error) })
      } else this.end(entry, 'failed', messageOf(error))
    } finally {
      delete entry.controller
    }
  }

  private end(entry: Entry, state: JobState, error: string | null): void {
    Object.assign(entry, { state, error, finished_at: new Date().toISOString() })
    const ended = [...this.entries.values()].filter((e) => !OPEN.includes(e.state))
    for (const old of ended.slice(0, -(this.options.history ?? 100))) this.entries.delete(old.id)
  }

  private entry(id: string): Entry {
    const entry = this.entries.get(id)
    if (entry === undefined)
      throw new SurprisalError('JOB_NOT_FOUND', `there is no job ${JSON.stringify(id)}`)
    return entry
  }
}

function view({ readyAt: _, controller: __, ...job }: Entry): RetrainJob {
  return structuredClone(job)
}
