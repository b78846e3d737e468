import { messageOf } from '../core/errors.ts'
import type { LiveEvent, LiveFeed, ModelVersion } from '../core/ports.ts'
import type { ApiDeps } from './deps.ts'
import { LiveHub } from './live-hub.ts'
import type { Pipelines } from './pipelines.ts'
import { StoredEvents } from './stored-events.ts'

const EVERY_MS = 1000
/** Stores are asked at every third look. */
const STORE_TURNS = 3
const JOBS = 50

/**
 * The live feed of this process, and what others change: jobs, versions, statuses, and the scores, episodes and drift
 * of pipelines that run elsewhere. Looks once a second for all listeners together, and only while there are any.
 */
export class LiveWatch implements LiveFeed {
  private readonly deps: ApiDeps
  private readonly pipelines: Pipelines
  private readonly hub = new LiveHub()
  /** What was told last, by what it is about. */
  private told = new Map<string, string>()
  private stored: StoredEvents
  private turn = 0
  private listeners = 0
  private timer: NodeJS.Timeout | undefined
  private looking: Promise<void> = Promise.resolve()

  constructor(deps: ApiDeps, pipelines: Pipelines) {
    this.deps = deps
    this.pipelines = pipelines
    this.stored = new StoredEvents(deps)
  }

  subscribe(listener: (event: LiveEvent) => void): () => void {
    const leave = [this.hub.subscribe(listener), this.deps.feed?.subscribe(listener) ?? (() => {})]
    if (this.listeners++ === 0) this.start()
    return () => {
      for (const one of leave) one()
      if (--this.listeners === 0) clearTimeout(this.timer)
    }
  }

  /** Looks now, as after a change that was asked for here; resolves once it is told. */
  look(): Promise<void> {
    if (this.listeners > 0) this.looking = this.looking.then(() => this.lookAround())
    return this.looking
  }

  private start(): void {
    this.told = new Map()
    this.stored = new StoredEvents(this.deps)
    this.turn = 0
    const next = async () => {
      await this.look()
      if (this.listeners > 0) this.timer = setTimeout(next, EVERY_MS)
    }
    void next()
  }

  /** The first look only learns how things stand. */
  private async lookAround(): Promise<void> {
    const turn = this.turn++
    const parts = [this.jobs(), this.models(), this.statuses(turn % STORE_TURNS === 0)]
    for (const part of await Promise.allSettled(parts)) {
      if (part.status === 'rejected')
        this.deps.logger?.debug({ error: messageOf(part.reason) }, 'a look for live events failed')
      else if (turn > 0) for (const event of part.value) this.hub.publish(event)
    }
  }

  private async jobs(): Promise<LiveEvent[]> {
    const jobs = (await this.deps.queue?.jobs({ limit: JOBS })) ?? []
    return jobs
      .filter((job) => this.isNews(`job ${job.id}`, job))
      .map((job) => ({ kind: 'job', pipeline: job.request.pipeline, job }))
  }

  private async models(): Promise<LiveEvent[]> {
    const { registry } = this.deps
    const events: LiveEvent[] = []
    for (const model of await registry.models()) {
      const versions = (await registry.list(model)).map(({ version, aliases }) => ({ version, aliases }))
      if (!this.isNews(`model ${model}`, versions)) continue
      const at = new Date().toISOString()
      events.push({ kind: 'model', pipeline: model, at, text: standing(versions) })
    }
    return events
  }

  private async statuses(askStore: boolean): Promise<LiveEvent[]> {
    const here = (await this.deps.monitor?.pipelines()) ?? []
    const statuses = askStore ? await this.pipelines.list() : here
    const events: LiveEvent[] = statuses
      .filter((status) => this.isNews(`status ${status.name}`, status))
      .map((status) => ({ kind: 'status', pipeline: status.name, status }))
    const elsewhere = statuses.filter(({ name }) => !here.some((status) => status.name === name))
    for (const { name } of elsewhere) events.push(...(await this.stored.since(name)))
    return events
  }

  private isNews(about: string, what: unknown): boolean {
    const now = JSON.stringify(what)
    if (this.told.get(about) === now) return false
    this.told.set(about, now)
    return true
  }
}

function standing(versions: readonly Pick<ModelVersion, 'version' | 'aliases'>[]): string {
  const named = versions.filter(({ aliases }) => aliases.length > 0)
  if (named.length === 0) return `${versions.length} versions, no champion`
  return named.map(({ version, aliases }) => `v${version} is ${aliases.join(' and ')}`).join(', ')
}
