import type { Episode } from '../core/ports.ts'
import { ANOMALY, type ScoredBatch, type Severity } from '../core/scored.ts'
import { severityAt } from '../core/scored-record.ts'
import { timeOf } from '../core/scores/intake.ts'

const SEVERITIES: readonly Severity[] = ['warning', 'minor', 'major', 'critical']
const KEPT = 500
const FIELDS = 5

interface Open {
  readonly id: string
  /** The one entity of all its anomalies, or null where they have several or none. */
  entity: string | null
  readonly from: number
  to: number
  anomalies: number
  maxScore: number
  severity: number
  /** Field → how often it was the first to blame. */
  readonly blamed: Map<string, number>
}

/**
 * Groups anomalies into episodes: one that follows another within `gap` milliseconds of event time belongs to it.
 * A lone anomaly is an episode of one. Late records join the episode that is open.
 */
export class EpisodeTracker {
  private readonly pipeline: string
  private readonly gap: number
  private readonly ended: Episode[] = []
  private open: Open | undefined
  private latest = Number.NEGATIVE_INFINITY
  private count = 0

  constructor(pipeline: string, gap = 60_000) {
    this.pipeline = pipeline
    this.gap = gap
  }

  observe(scored: ScoredBatch): void {
    for (let row = 0; row < scored.batch.rows; row++) {
      const time = timeOf(scored, row)
      if (scored.verdict[row] === ANOMALY && !scored.suppressed?.has(row)) this.add(scored, row, time)
      this.latest = Math.max(this.latest, time)
    }
    if (this.open !== undefined && this.latest - this.open.to > this.gap) this.close(this.open)
  }

  /** Newest first, the open one before all. */
  episodes(limit: number): readonly Episode[] {
    const open = this.open === undefined ? [] : [this.view(this.open, null)]
    return [...open, ...this.ended].slice(0, limit)
  }

  private add(scored: ScoredBatch, row: number, time: number): void {
    if (this.open !== undefined && time - this.open.to > this.gap) this.close(this.open)
    const entity = scored.batch.entity?.[row] ?? null
    this.open ??= {
      id: `${this.pipeline}-${time}-${++this.count}`,
      entity,
      from: time,
      to: time,
      anomalies: 0,
      maxScore: Number.NEGATIVE_INFINITY,
      severity: 0,
      blamed: new Map(),
    }
    const episode = this.open
    if (episode.entity !== entity) episode.entity = null
    episode.to = Math.max(episode.to, time)
    episode.anomalies++
    if (scored.score[row] > episode.maxScore) episode.maxScore = scored.score[row]
    episode.severity = Math.max(episode.severity, SEVERITIES.indexOf(severityAt(scored, row) ?? 'warning'))
    const field = scored.attributions.get(row)?.[0]?.field
    if (field !== undefined) episode.blamed.set(field, (episode.blamed.get(field) ?? 0) + 1)
  }

  private close(episode: Open): void {
    this.ended.unshift(this.view(episode, episode.to))
    if (this.ended.length > KEPT) this.ended.pop()
    this.open = undefined
  }

  private view(episode: Open, ended: number | null): Episode {
    const fields = [...episode.blamed].sort((a, b) => b[1] - a[1]).slice(0, FIELDS)
    return {
      id: episode.id,
      pipeline: this.pipeline,
      entity: episode.entity,
      started_at: new Date(episode.from).toISOString(),
      ended_at: ended === null ? null : new Date(ended).toISOString(),
      anomalies: episode.anomalies,
      max_score: Number.isFinite(episode.maxScore) ? episode.maxScore : 0,
      severity: SEVERITIES[episode.severity],
      fields: fields.map(([field]) => field),
    }
  }
}
