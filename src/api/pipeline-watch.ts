import { hostname } from 'node:os'
import type {
  DriftReport,
  Episode,
  NoticeStore,
  PipelineMonitor,
  PipelineState,
  PipelineStatus,
  ShadowReport,
} from '../core/ports.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../core/scored.ts'
import type { LiveHub } from './live-hub.ts'

const WINDOW = 60_000
const LOOKS = 100
const EPISODES = 500

/** What a running pipeline can be asked; each is asked anew for every status. */
export interface WatchedPipeline {
  readonly name: string
  /** Why it cannot work yet, or works badly; empty when all is well. */
  reasons(): readonly string[] | Promise<readonly string[]>
  /** Records that wait in the source; null where it cannot tell. */
  lag?(): number | null | Promise<number | null>
  /** Of the challenger that scores beside the champion. */
  shadow?(): ShadowReport | undefined
  model(): { readonly version: number; readonly rate: number; readonly createdAt: string | null } | undefined
}

/**
 * Watches one pipeline of this process: counts, rate, episodes, drift. Feeds a hub with what it sees, and a store,
 * which shows it to other processes and after a restart.
 */
export class PipelineWatch implements PipelineMonitor {
  private readonly watched: WatchedPipeline
  private readonly hub: LiveHub
  private readonly notices: NoticeStore | undefined
  private readonly process = `${hostname()}:${process.pid}`
  private readonly since = Date.now()
  private readonly recent: { readonly at: number; readonly records: number }[] = []
  /** Newest last. */
  private readonly seen = new Map<string, Episode>()
  private readonly looks: DriftReport[] = []
  private unkept: { episodes: Map<string, Episode>; looks: DriftReport[] } = {
    episodes: new Map(),
    looks: [],
  }
  private counts = { records: 0, anomalies: 0, unscored: 0 }
  private ended: { readonly state: 'stopped' | 'failed'; readonly reason: string } | undefined

  constructor(watched: WatchedPipeline, hub: LiveHub, notices?: NoticeStore) {
    this.watched = watched
    this.hub = hub
    this.notices = notices
  }

  /** Call it with every scored batch whose destinations took it. */
  observe(scored: ScoredBatch): void {
    const { rows } = scored.batch
    this.counts.records += rows
    for (let row = 0; row < rows; row++) {
      if (scored.verdict[row] === ANOMALY) this.counts.anomalies++
      else if (scored.verdict[row] === UNSCORED) this.counts.unscored++
    }
    this.recent.push({ at: Date.now(), records: rows })
    this.hub.scored(scored)
  }

  /** Call it when an episode opens, grows or is over. */
  episode(episode: Episode): void {
    this.seen.set(episode.id, episode)
    this.unkept.episodes.set(episode.id, episode)
    for (const [id] of this.seen) {
      if (this.seen.size <= EPISODES) break
      this.seen.delete(id)
    }
    this.hub.publish({ kind: 'episode', pipeline: episode.pipeline, episode })
  }

  /** Call it with every look at drift. */
  drifted(look: DriftReport): void {
    this.looks.unshift(look)
    this.unkept.looks.push(look)
    if (this.looks.length > LOOKS) this.looks.pop()
    const { triggered } = look
    this.hub.publish({
      kind: 'drift',
      pipeline: this.watched.name,
      at: look.to,
      text: triggered.length > 0 ? `drifted: ${triggered.join(', ')}` : 'no field has drifted',
    })
  }

  /** Call it when the pipeline has ended, with what ended it where it failed. */
  end(state: 'stopped' | 'failed', reason: string): void {
    this.ended = { state, reason }
  }

  /** Tells the store how the pipeline is, and what it has not kept yet. To be called every few seconds. */
  async report(): Promise<void> {
    if (this.notices === undefined) return
    const [status] = await this.pipelines()
    const { episodes, looks } = this.unkept
    this.unkept = { episodes: new Map(), looks: [] }
    try {
      for (const [id, episode] of episodes) {
        await this.notices.putEpisode(episode)
        episodes.delete(id)
      }
      for (; looks.length > 0; looks.shift()) await this.notices.putDrift(status.name, looks[0])
      await this.notices.putStatus(this.process, status)
    } catch (error) {
      for (const [id, episode] of this.unkept.episodes) episodes.set(id, episode)
      this.unkept = { episodes, looks: [...looks, ...this.unkept.looks].slice(-LOOKS) }
      throw error
    }
  }

  async pipelines(): Promise<readonly PipelineStatus[]> {
    const [reasons, lag] = await Promise.all([this.watched.reasons(), this.watched.lag?.() ?? null])
    const model = this.watched.model()
    const shadow = this.watched.shadow?.()
    const { records, anomalies, unscored } = this.counts
    return [
      {
        name: this.watched.name,
        state: this.ended?.state ?? stateOf(model !== undefined, reasons.length > 0),
        reasons: this.ended === undefined ? reasons : [this.ended.reason],
        records_per_second: this.rate(),
        records,
        anomalies,
        unscored,
        since: new Date(this.since).toISOString(),
        lag,
        nominal_rate: model?.rate ?? null,
        realised_rate: records > unscored ? anomalies / (records - unscored) : null,
        model_version: model?.version ?? null,
        model_created_at: model?.createdAt ?? null,
        ...(shadow && { shadow }),
      },
    ]
  }

  async episodes(pipeline: string, limit: number): Promise<readonly Episode[]> {
    if (pipeline !== this.watched.name) return []
    return [...this.seen.values()]
      .sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at))
      .slice(0, limit)
  }

  async drift(pipeline: string, limit: number): Promise<readonly DriftReport[]> {
    return pipeline === this.watched.name ? this.looks.slice(0, limit) : []
  }

  /** Records per second over the last minute, or since the start where that is shorter. */
  private rate(): number {
    const now = Date.now()
    while (this.recent.length > 0 && now - this.recent[0].at > WINDOW) this.recent.shift()
    const records = this.recent.reduce((sum, batch) => sum + batch.records, 0)
    return records / (Math.max(1000, Math.min(WINDOW, now - this.since)) / 1000)
  }
}

function stateOf(hasModel: boolean, troubled: boolean): PipelineState {
  if (!hasModel) return 'waiting'
  return troubled ? 'degraded' : 'running'
}
