import type { PipelineStatus, ScoreStore } from '../core/ports.ts'
import { precisionOf } from '../core/precision.ts'
import type { ApiDeps } from './deps.ts'
import { together } from './noticed.ts'
import { HttpProblem } from './problem.ts'

const KNOWN_FOR = 2000
const WINDOW = 5 * 60_000
/** Processes tell how their pipelines are every few seconds; those not heard of for longer are gone. */
const FRESH = 20_000

/** The pipelines there are: those that run here, and those whose scores are stored. */
export class Pipelines {
  private stored: Promise<readonly string[]> | undefined
  private readAt = 0

  constructor(
    private readonly deps: Pick<ApiDeps, 'store' | 'registry' | 'monitor' | 'labels' | 'notices'>,
  ) {}

  async list(): Promise<readonly PipelineStatus[]> {
    const watched = (await this.deps.monitor?.pipelines()) ?? []
    const names = new Set(watched.map((status) => status.name))
    const heard = await this.heard()
    const others = [...new Set([...(await this.names()), ...heard.keys()])].filter((name) => !names.has(name))
    const told = await Promise.all(others.map((name) => this.elsewhere(name, heard)))
    const all = [...watched, ...told].sort((a, b) => (a.name < b.name ? -1 : 1))
    return Promise.all(all.map((status) => this.judged(status)))
  }

  async status(pipeline: string): Promise<PipelineStatus> {
    const watched = (await this.deps.monitor?.pipelines()) ?? []
    const found = watched.find((status) => status.name === pipeline)
    if (found !== undefined) return this.judged(found)
    const heard = await this.heard()
    if (!heard.has(pipeline) && !(await this.names()).includes(pipeline)) throw unknown(pipeline)
    return this.judged(await this.elsewhere(pipeline, heard))
  }

  /** Refuses a pipeline that nobody has heard of with 404. */
  async mustExist(pipeline: string): Promise<void> {
    const watched = (await this.deps.monitor?.pipelines()) ?? []
    if (watched.some((status) => status.name === pipeline)) return
    if ((await this.names()).includes(pipeline) || (await this.heard()).has(pipeline)) return
    throw unknown(pipeline)
  }

  /** With what people said of its alarms. */
  private async judged(status: PipelineStatus): Promise<PipelineStatus> {
    const { labels } = this.deps
    return labels === undefined
      ? status
      : { ...status, feedback: precisionOf(await labels.labels(status.name)) }
  }

  private names(): ReturnType<ScoreStore['pipelines']> {
    if (this.stored === undefined || Date.now() - this.readAt > KNOWN_FOR) {
      this.readAt = Date.now()
      this.stored = this.deps.store.pipelines()
      this.stored.catch(() => {
        this.stored = undefined
      })
    }
    return this.stored
  }

  /** What the processes that run pipelines told of late, or told when they ended. */
  private async heard(now = Date.now()): Promise<ReadonlyMap<string, readonly PipelineStatus[]>> {
    const found = new Map<string, PipelineStatus[]>()
    for (const { notice, heardAt } of (await this.deps.notices?.statuses()) ?? []) {
      if (now - heardAt > FRESH && notice.state !== 'stopped' && notice.state !== 'failed') continue
      found.set(notice.name, [...(found.get(notice.name) ?? []), notice])
    }
    return found
  }

  private async elsewhere(
    name: string,
    heard: ReadonlyMap<string, readonly PipelineStatus[]>,
  ): Promise<PipelineStatus> {
    const told = heard.get(name)
    return told === undefined ? this.derive(name) : together(told)
  }

  /** What stored scores tell of a pipeline that runs in other processes, or no more. */
  private async derive(name: string): Promise<PipelineStatus> {
    const now = Date.now()
    const { store, registry } = this.deps
    const query = { pipeline: name, from: now - WINDOW, to: now, step: 60_000 }
    const [points, champion, latest] = await Promise.all([
      store.series(query),
      registry.alias(name, 'champion').catch(() => undefined),
      store.query({ pipeline: name, limit: 1 }),
    ])
    const sum = (key: 'records' | 'anomalies' | 'unscored') => points.reduce((n, point) => n + point[key], 0)
    const [records, anomalies, unscored] = [sum('records'), sum('anomalies'), sum('unscored')]
    const last = latest.items.at(0)
    return {
      name,
      state: 'unknown',
      reasons: [
        'no process that runs the pipeline was heard of lately: what is shown comes from its stored scores',
        ...(records > 0
          ? []
          : [`no record in the last 5 minutes, the newest is of ${last?.event_time ?? 'unknown time'}`]),
      ],
      records_per_second: records / (WINDOW / 1000),
      records,
      anomalies,
      unscored,
      since: new Date(now - WINDOW).toISOString(),
      lag: null,
      nominal_rate: last?.threshold ?? null,
      realised_rate: records > unscored ? anomalies / (records - unscored) : null,
      model_version: champion?.version ?? last?.model_version ?? null,
      model_created_at: champion?.created_at ?? null,
    }
  }
}

function unknown(pipeline: string): HttpProblem {
  return new HttpProblem(404, `no pipeline "${pipeline}" runs here or has stored scores`)
}
