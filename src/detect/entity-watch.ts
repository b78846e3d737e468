import type { EpisodeKind } from '../core/ports.ts'
import type { ScoredBatch } from '../core/scored.ts'
import { streamOf } from '../features/stream-windows.ts'
import { type Habits, KNOWN_GAPS, readers, Track, Tracks } from './habits.ts'
import { Typicality } from './typicality.ts'

export interface EntityAlarm {
  readonly kind: EpisodeKind
  readonly state: 'firing' | 'resolved'
  readonly entity: string | null
  /** The fields that repeat themselves. */
  readonly fields: readonly string[]
  /** Epoch milliseconds on the stream's clock: the last record before silence, the record that fired. */
  readonly since: number | null
  readonly summary: string
}
export interface EntityWatchOptions {
  /** False alarms per record that each test is made for. */
  readonly rate: number
  readonly kinds?: readonly EpisodeKind[]
  /** Entities remembered; beyond, the one unseen for longest is forgotten. */
  readonly entities?: number
}

class Watched extends Track {
  readonly stuck = new Set<number>()
  readonly typicality: Typicality
  silent = false
  regular = false
  wall = Number.NaN

  constructor(fields: number, rate: number) {
    super(fields)
    this.typicality = new Typicality(rate)
  }
}

/** Runs shorter than this are no news, however improbable. */
const SHORTEST_RUN = 4
/** A gap or a run is no news within so many times the longest of training. */
const MARGIN = 2
export const ENTITY_ALARMS: readonly EpisodeKind[] = ['silent', 'stuck', 'regular']

/**
 * Watches each entity for what no single record shows. Silent: no record for a time whose probability is below the
 * rate, by an exponential tail above the 90 % quantile of the gaps of training in units of the entity's mean gap, and
 * over twice the longest of them. Stuck: a field repeats its value k times with P(repeat)^(k−1) below the rate, and over
 * twice the longest run of training. Regular: improbably typical (Typicality). Time is the stream's own: the records of
 * the others tell that one is silent; a stream of one entity goes by the clock on the wall (tick).
 */
export class EntityWatch {
  readonly #habits: Habits
  readonly #fields: readonly string[]
  readonly #kinds: ReadonlySet<EpisodeKind>
  readonly #runs: readonly number[]
  readonly #silence: number
  readonly #tracks: Tracks<Watched>
  /** Per stream, its latest time. */
  readonly #latest = new Map<string, number>()

  constructor(habits: Habits, { rate, kinds = ENTITY_ALARMS, entities }: EntityWatchOptions) {
    this.#habits = habits
    this.#kinds = new Set(kinds)
    this.#fields = kinds.includes('stuck') ? habits.repeats.map(({ field }) => field) : []
    this.#runs = habits.repeats.map(({ probability, longest }) =>
      Math.max(SHORTEST_RUN, MARGIN * longest + 1, Math.ceil(1 + Math.log(rate) / Math.log(probability))),
    )
    const { gaps } = habits
    this.#silence =
      gaps === null || !this.#kinds.has('silent')
        ? Number.POSITIVE_INFINITY
        : Math.max(MARGIN * gaps.largest, gaps.high + gaps.excess * Math.max(0, Math.log(0.1 / rate)))
    this.#tracks = new Tracks(() => new Watched(this.#fields.length, rate), entities)
  }

  /** Alarms that begin or end with the records of a batch. `wall`: epoch milliseconds. */
  observe({ batch, pValue }: ScoredBatch, wall = Date.now()): EntityAlarm[] {
    const alarms: EntityAlarm[] = []
    const read = readers(batch, this.#habits, this.#fields)
    const stream = streamOf(batch)
    let latest = this.#latest.get(stream) ?? Number.NEGATIVE_INFINITY
    for (let row = 0; row < batch.rows; row++) {
      const entity = read.entity(row)
      const time = read.time(row)
      if (time > latest) latest = time
      const key = `${stream}\n${entity}`
      const { track, forgotten } = this.#tracks.of(key)
      if (forgotten !== undefined) this.#end(...forgotten, alarms)
      this.#speak(key, track, time, alarms)
      track.wall = wall
      for (let f = 0; f < this.#fields.length; f++)
        this.#field(key, track, f, read.values[f][row], time, alarms)
      if (this.#kinds.has('regular') && pValue[row] <= 1)
        this.#regular(key, track, track.typicality.take(pValue[row]), time, alarms)
    }
    if (latest > Number.NEGATIVE_INFINITY) this.#latest.set(stream, latest)
    this.#listen(stream, latest, alarms)
    return alarms
  }

  /**
   * To be called every few seconds by who reads live: a stream of one entity is silent by the clock on the wall. Not
   * while records wait to be read.
   */
  tick(wall = Date.now()): EntityAlarm[] {
    const alarms: EntityAlarm[] = []
    /** Per stream its entity, undefined where there are several. */
    const alone = new Map<string, [string, Watched] | undefined>()
    for (const [key, track] of this.#tracks) {
      const stream = key.slice(0, key.lastIndexOf('\n'))
      alone.set(stream, alone.has(stream) ? undefined : [key, track])
    }
    for (const only of alone.values())
      if (only !== undefined) this.#hear(...only, only[1].last + wall - only[1].wall, alarms)
    return alarms
  }

  /** Ends all alarms: nobody watches any more. */
  close(): EntityAlarm[] {
    const alarms: EntityAlarm[] = []
    for (const [key, track] of this.#tracks) this.#end(key, track, alarms)
    return alarms
  }

  #listen(stream: string, now: number, alarms: EntityAlarm[]): void {
    if (this.#silence === Number.POSITIVE_INFINITY) return
    for (const [key, track] of this.#tracks)
      if (key.startsWith(`${stream}\n`)) this.#hear(key, track, now, alarms)
  }

  #hear(key: string, track: Watched, now: number, alarms: EntityAlarm[]): void {
    if (track.silent || !this.#tooLong(track, now - track.last)) return
    track.silent = true
    alarms.push(
      this.#alarm('silent', 'firing', key, [], track.last, `no record for ${spoken(now - track.last)}`),
    )
  }

  #tooLong({ gaps, meanGap }: Watched, gap: number): boolean {
    return gaps >= KNOWN_GAPS && gap > this.#silence * meanGap
  }

  #speak(key: string, track: Watched, time: number, alarms: EntityAlarm[]): void {
    const since = track.last
    const gap = track.advance(time)
    if (Number.isNaN(gap)) return
    if (!track.silent && this.#tooLong(track, gap))
      alarms.push(this.#alarm('silent', 'firing', key, [], since, `no record for ${spoken(gap)}`))
    if (track.silent || this.#tooLong(track, gap))
      alarms.push(this.#alarm('silent', 'resolved', key, [], since, `records again after ${spoken(gap)}`))
    // What is improbable does not become usual.
    else track.learn(gap)
    track.silent = false
  }

  #field(key: string, track: Watched, f: number, value: number, time: number, alarms: EntityAlarm[]): void {
    if (Number.isNaN(value)) return
    const run = track.repeat(f, value)
    const field = this.#fields[f]
    if (run === this.#runs[f] && !track.stuck.has(f)) {
      track.stuck.add(f)
      alarms.push(
        this.#alarm('stuck', 'firing', key, [field], time, `${field} is ${value} for ${run} records`),
      )
    } else if (run === 1 && track.stuck.delete(f))
      alarms.push(this.#alarm('stuck', 'resolved', key, [field], time, `${field} changes again`))
  }

  #regular(key: string, track: Watched, now: boolean, time: number, alarms: EntityAlarm[]): void {
    if (now === track.regular) return
    track.regular = now
    const summary = now ? 'its records are improbably typical' : 'its records vary again'
    alarms.push(this.#alarm('regular', now ? 'firing' : 'resolved', key, [], time, summary))
  }

  #end(key: string, track: Watched, alarms: EntityAlarm[]): void {
    const end = (kind: EpisodeKind, fields: readonly string[] = []) =>
      alarms.push(this.#alarm(kind, 'resolved', key, fields, track.last, 'no longer watched'))
    if (track.silent) end('silent')
    for (const f of track.stuck) end('stuck', [this.#fields[f]])
    if (track.regular) end('regular')
  }

  #alarm(
    kind: EpisodeKind,
    state: EntityAlarm['state'],
    key: string,
    fields: readonly string[],
    since: number,
    summary: string,
  ): EntityAlarm {
    const entity = key.slice(key.lastIndexOf('\n') + 1)
    return {
      kind,
      state,
      entity: entity === '' ? null : entity,
      fields,
      since: Number.isFinite(since) ? since : null,
      summary,
    }
  }
}

function spoken(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} seconds`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} minutes`
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} hours` : `${Math.round(ms / 86_400_000)} days`
}
