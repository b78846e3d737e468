import type { Episode } from '../../core/ports.ts'
import { ANOMALY, type ScoredBatch, SEVERITIES, type Severity, severityOf } from '../../core/scored.ts'

export interface EpisodeOptions {
  /** An episode is over when its entity was quiet for this long. */
  readonly cooldownMs: number
  /** Open episodes at most; beyond it the quietest one is closed early. Default 10,000. */
  readonly maxOpen?: number
}

export interface EpisodeChange {
  readonly kind: 'opened' | 'grew' | 'resolved'
  readonly episode: Episode
}

interface Open {
  readonly id: string
  readonly entity: string | null
  readonly startedAt: number
  lastAt: number
  anomalies: number
  maxScore: number
  severity: Severity
  readonly blame: Map<string, number>
}

const MAX_OPEN = 10_000
const NAMED_FIELDS = 5

/**
 * Groups flagged records that no rule suppresses by entity: the first opens an episode, further ones within the cooldown grow it, silence
 * resolves it. Time is the clock of the process, not of the records: late data is news all the same.
 */
export class Episodes {
  private readonly pipeline: string
  private readonly options: EpisodeOptions
  private readonly open = new Map<string, Open>()

  constructor(pipeline: string, options: EpisodeOptions) {
    this.pipeline = pipeline
    this.options = options
  }

  get current(): Episode[] {
    return [...this.open.values()].map((one) => this.view(one, null))
  }

  /** Changes by the flagged rows of a batch, one per entity. */
  observe(scored: ScoredBatch, now: number): EpisodeChange[] {
    const touched = new Map<Open, EpisodeChange['kind']>()
    for (
      let row = scored.verdict.indexOf(ANOMALY);
      row >= 0;
      row = scored.verdict.indexOf(ANOMALY, row + 1)
    ) {
      if (scored.suppressed?.has(row)) continue
      const entity = scored.batch.entity?.[row] ?? null
      const key = entity ?? ''
      const known = this.open.get(key)
      const one = known ?? this.begin(key, entity, now)
      if (!touched.has(one)) touched.set(one, known === undefined ? 'opened' : 'grew')
      this.grow(one, scored, row, now)
    }
    const changes = [...touched].map(([one, kind]) => ({ kind, episode: this.view(one, null) }))
    return [...changes, ...this.evict(now)]
  }

  /** Episodes that the cooldown has ended by `now`. */
  tick(now: number): EpisodeChange[] {
    const ended = [...this.open].filter(([, { lastAt }]) => now - lastAt >= this.options.cooldownMs)
    return ended.map(([key]) => this.resolve(key, now))
  }

  private begin(key: string, entity: string | null, now: number): Open {
    const id = `${this.pipeline}-${now.toString(36)}-${Math.random().toString(36).slice(2, 8)}`
    const blame = new Map<string, number>()
    const start = {
      id,
      entity,
      startedAt: now,
      lastAt: now,
      anomalies: 0,
      maxScore: Number.NEGATIVE_INFINITY,
    }
    const one: Open = { ...start, severity: 'warning', blame }
    this.open.set(key, one)
    return one
  }

  private grow(one: Open, scored: ScoredBatch, row: number, now: number): void {
    one.lastAt = now
    one.anomalies++
    one.maxScore = Math.max(one.maxScore, scored.score[row])
    const severity = severityOf(scored.pValue[row], scored.threshold) ?? 'warning'
    if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(one.severity)) one.severity = severity
    const [first] = scored.attributions.get(row) ?? []
    if (first !== undefined) one.blame.set(first.field, (one.blame.get(first.field) ?? 0) + 1)
  }

  private evict(now: number): EpisodeChange[] {
    const changes: EpisodeChange[] = []
    while (this.open.size > (this.options.maxOpen ?? MAX_OPEN)) {
      let quietest: [string, Open] | undefined
      for (const entry of this.open)
        if (quietest === undefined || entry[1].lastAt < quietest[1].lastAt) quietest = entry
      changes.push(this.resolve(quietest![0], now))
    }
    return changes
  }

  private resolve(key: string, now: number): EpisodeChange {
    const one = this.open.get(key)!
    this.open.delete(key)
    return { kind: 'resolved', episode: this.view(one, now) }
  }

  private view(one: Open, endedAt: number | null): Episode {
    const fields = [...one.blame].sort((a, b) => b[1] - a[1]).map(([field]) => field)
    return {
      id: one.id,
      pipeline: this.pipeline,
      entity: one.entity,
      started_at: new Date(one.startedAt).toISOString(),
      ended_at: endedAt === null ? null : new Date(endedAt).toISOString(),
      anomalies: one.anomalies,
      max_score: one.maxScore,
      severity: one.severity,
      fields: fields.slice(0, NAMED_FIELDS),
    }
  }
}
