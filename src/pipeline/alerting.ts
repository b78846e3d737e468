import type { Alert, Episode } from '../core/ports.ts'
import { type ScoredBatch, UNSCORED } from '../core/scored.ts'
import { type EntityAlarm, EntityWatch, type EntityWatchOptions } from '../detect/entities/entity-watch.ts'
import { Episodes } from '../detect/entities/episodes.ts'
import type { Habits } from '../detect/entities/habits.ts'

export interface AlertingOptions {
  readonly cooldownMs: number
  /** Episodes told one by one in a minute; beyond it one alert says how many there were. */
  readonly stormLimit: number
  /** Share of unscored records in a minute that is told. Default 0.05. */
  readonly unscoredShare?: number
  /** A stream that had records and then none for this long is told. Default 10 minutes. */
  readonly silenceMs?: number
  /** What entities are watched for, by the habits of the model. Default: nothing. */
  readonly watch?: EntityWatchOptions
}

const MINUTE = 60_000
const FEWEST = 100

/**
 * What a pipeline tells people: episodes of anomalies, and when the stream itself breaks: records that cannot be
 * scored (a changed schema shows as that), or none at all; and entities that are silent, stuck or too regular. `told` hears each alert when it fires, every minute while
 * it goes on, and when it is over.
 */
export class Alerting {
  private readonly pipeline: string
  private readonly options: AlertingOptions
  private readonly told: (alert: Alert) => void
  private readonly changed: (episode: Episode) => void
  private readonly episodes: Episodes
  private readonly firing = new Map<string, { alert: Alert; at: number }>()
  private minute = { from: 0, opened: 0, records: 0, unscored: 0 }
  private lastRecord: number | undefined
  private entities: EntityWatch | undefined
  private readonly strange = new Map<string, Episode>()

  /** `changed` hears of every change of an episode, told or not. */
  constructor(
    pipeline: string,
    options: AlertingOptions,
    told: (alert: Alert) => void,
    now = Date.now(),
    changed: (episode: Episode) => void = () => {},
  ) {
    this.pipeline = pipeline
    this.options = options
    this.told = told
    this.changed = changed
    this.episodes = new Episodes(pipeline, options)
    this.minute.from = now
  }

  get current(): Episode[] {
    return this.episodes.current
  }

  observe(scored: ScoredBatch, now = Date.now()): void {
    this.lastRecord = now
    this.minute.records += scored.verdict.length
    for (const verdict of scored.verdict) if (verdict === UNSCORED) this.minute.unscored++
    this.end('silence', now)
    for (const { kind, episode } of this.episodes.observe(scored, now)) this.episode(kind, episode, now)
    for (const alarm of this.entities?.observe(scored, now) ?? []) this.alarm(alarm, now)
  }

  /** Watches entities by the habits of another model; without any, nothing is known of them. */
  learned(habits: Habits | undefined, now = Date.now()): void {
    for (const alarm of this.entities?.close() ?? []) this.alarm(alarm, now)
    const { watch } = this.options
    this.entities = habits && watch && new EntityWatch(habits, watch)
  }

  /** To be called every few seconds: resolves what is over and looks at the last minute. `waiting`: records wait to be read. */
  tick(now = Date.now(), waiting = false): void {
    for (const alarm of (!waiting && this.entities?.tick(now)) || []) this.alarm(alarm, now)
    for (const { kind, episode } of this.episodes.tick(now)) this.episode(kind, episode, now)
    if (now - this.minute.from >= MINUTE) this.judgeMinute(now)
    const { silenceMs = 10 * MINUTE } = this.options
    if (this.lastRecord !== undefined && now - this.lastRecord >= silenceMs) {
      const minutes = Math.round((now - this.lastRecord) / MINUTE)
      this.fire('silence', 'major', `no record of ${this.pipeline} came for ${minutes} minutes`, now)
    }
  }

  private episode(
    kind: 'opened' | 'grew' | 'resolved',
    episode: Episode,
    now: number,
    summary = summaryOf(episode),
  ): void {
    this.changed(episode)
    const known = this.firing.get(episode.id)
    if (kind === 'opened' && ++this.minute.opened > this.options.stormLimit) {
      const summary = `${this.minute.opened} episodes began within a minute: only the first ${this.options.stormLimit} are told`
      this.fire('storm', 'critical', summary, now)
      return
    }
    if (kind !== 'opened' && known === undefined) return
    const alert = alertOf(episode, summary)
    if (kind === 'resolved') {
      this.firing.delete(episode.id)
      this.told(alert)
    } else if (known === undefined || known.alert.severity !== alert.severity || now - known.at >= MINUTE) {
      this.firing.set(episode.id, { alert, at: now })
      this.told(alert)
    }
  }

  private alarm({ kind, state, entity, fields, since, summary }: EntityAlarm, now: number): void {
    const key = [kind, entity, ...fields].join('\n')
    const known = this.strange.get(key)
    if (state === 'resolved' && known === undefined) return
    const episode: Episode = known ?? {
      id: `${this.pipeline}-${kind}-${now.toString(36)}-${Math.random().toString(36).slice(2, 8)}`,
      kind,
      pipeline: this.pipeline,
      entity,
      started_at: new Date(since ?? now).toISOString(),
      ended_at: null,
      anomalies: 0,
      max_score: 0,
      severity: kind === 'regular' ? 'minor' : 'major',
      fields,
    }
    const who = `${entity ?? 'the stream'} (${this.pipeline})`
    if (state === 'firing') {
      this.strange.set(key, episode)
      this.episode('opened', episode, now, `${who}: ${summary}`)
    } else {
      this.strange.delete(key)
      this.episode(
        'resolved',
        { ...episode, ended_at: new Date(now).toISOString() },
        now,
        `${who}: ${summary}`,
      )
    }
  }

  private judgeMinute(now: number): void {
    const { records, unscored, opened } = this.minute
    this.minute = { from: now, opened: 0, records: 0, unscored: 0 }
    if (opened <= this.options.stormLimit) this.end('storm', now)
    const { unscoredShare = 0.05 } = this.options
    if (records >= FEWEST && unscored > records * unscoredShare) {
      const share = ((100 * unscored) / records).toFixed(1)
      this.fire('unscored', 'major', `${share} % of the last ${records} records could not be scored`, now)
    } else {
      this.end('unscored', now)
    }
  }

  private fire(
    kind: Exclude<Alert['kind'], 'episode'>,
    severity: Alert['severity'],
    summary: string,
    now: number,
  ) {
    const known = this.firing.get(kind)
    if (known !== undefined && now - known.at < MINUTE) return
    const alert: Alert = {
      id: known?.alert.id ?? `${this.pipeline}-${kind}-${now.toString(36)}`,
      pipeline: this.pipeline,
      kind,
      state: 'firing',
      severity,
      entity: null,
      summary,
      started_at: known?.alert.started_at ?? new Date(now).toISOString(),
      ended_at: null,
      anomalies: 0,
      max_score: null,
      fields: [],
    }
    this.firing.set(kind, { alert, at: now })
    this.told(alert)
  }

  private end(kind: Alert['kind'], now: number): void {
    const known = this.firing.get(kind)
    if (known === undefined) return
    this.firing.delete(kind)
    this.told({ ...known.alert, state: 'resolved', ended_at: new Date(now).toISOString() })
  }
}

function summaryOf({ pipeline, entity, anomalies, fields }: Episode): string {
  const who = entity === null ? pipeline : `${entity} (${pipeline})`
  const what = anomalies === 1 ? 'an anomaly' : `${anomalies} anomalies`
  const blame = fields.length === 0 ? '' : `, most to blame: ${fields.join(', ')}`
  return `${what} of ${who}${blame}`
}

function alertOf(episode: Episode, summary: string): Alert {
  const { id, pipeline, entity, severity, started_at, ended_at, anomalies, max_score, fields, kind } = episode
  return {
    id,
    pipeline,
    kind: kind ?? 'episode',
    state: ended_at === null ? 'firing' : 'resolved',
    severity,
    entity,
    summary,
    started_at,
    ended_at,
    anomalies,
    max_score,
    fields,
  }
}
