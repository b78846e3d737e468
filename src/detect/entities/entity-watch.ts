import { Deadlines, type Due } from '../../core/deadlines.ts'
import type { EpisodeKind } from '../../core/ports.ts'
import type { ScoredBatch } from '../../core/scored.ts'
import { streamOf } from '../../features/windows/stream-windows.ts'
import { Typicality } from '../calibration/typicality.ts'
import { type Habits, KNOWN_GAPS, readers, Track, Tracks } from './habits.ts'

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

interface Stream {
  /** Its latest time. */
  latest: number
  readonly entities: Set<Watched>
  /** When its entities are silent, each no later than it is. */
  readonly deadlines: Deadlines<Watched>
}

class Watched extends Track implements Due {
  readonly entity: string | null
  readonly stream: Stream
  readonly stuck = new Set<number>()
  readonly typicality: Typicality
  silent = false
  regular = false
  wall = Number.NaN
  due = Number.NaN
  place = -1

  constructor(entity: string, stream: Stream, fields: number, rate: number) {
    super(fields)
    this.entity = entity === '' ? null : entity
    this.stream = stream
    this.typicality = new Typicality(rate)
    stream.entities.add(this)
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
  readonly #streams = new Map<string, Stream>()

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
    this.#tracks = new Tracks((key) => {
      const end = key.indexOf('\n')
      return new Watched(key.slice(end + 1), this.#stream(key.slice(0, end)), this.#fields.length, rate)
    }, entities)
  }

  /** Alarms that begin or end with the records of a batch. `wall`: epoch milliseconds. */
  observe({ batch, pValue }: ScoredBatch, wall = Date.now()): EntityAlarm[] {
    const alarms: EntityAlarm[] = []
    const read = readers(batch, this.#habits, this.#fields)
    const name = streamOf(batch)
    const stream = this.#stream(name)
    for (let row = 0; row < batch.rows; row++) {
      const time = read.time(row)
      if (time > stream.latest) stream.latest = time
      const { track, forgotten } = this.#tracks.of(`${name}\n${read.entity(row)}`)
      if (forgotten !== undefined) this.#forget(forgotten[1], alarms)
      this.#speak(track, time, alarms)
      track.wall = wall
      for (let f = 0; f < this.#fields.length; f++) this.#field(track, f, read.values[f][row], time, alarms)
      if (this.#kinds.has('regular') && pValue[row] <= 1)
        this.#regular(track, track.typicality.take(pValue[row]), time, alarms)
    }
    this.#listen(stream, alarms)
    return alarms
  }

  /**
   * To be called every few seconds by who reads live: a stream of one entity is silent by the clock on the wall. Not
   * while records wait to be read.
   */
  tick(wall = Date.now()): EntityAlarm[] {
    const alarms: EntityAlarm[] = []
    for (const { entities } of this.#streams.values()) {
      const [only] = entities
      if (entities.size === 1) this.#hear(only, only.last + wall - only.wall, alarms)
    }
    return alarms
  }

  /** Ends all alarms: nobody watches any more. */
  close(): EntityAlarm[] {
    const alarms: EntityAlarm[] = []
    for (const [, track] of this.#tracks) this.#end(track, alarms)
    return alarms
  }

  #stream(name: string): Stream {
    const known = this.#streams.get(name)
    if (known !== undefined) return known
    const stream = {
      latest: Number.NEGATIVE_INFINITY,
      entities: new Set<Watched>(),
      deadlines: new Deadlines<Watched>(),
    }
    this.#streams.set(name, stream)
    return stream
  }

  #forget(track: Watched, alarms: EntityAlarm[]): void {
    const { stream } = track
    stream.entities.delete(track)
    stream.deadlines.delete(track)
    this.#end(track, alarms)
  }

  /** When the entity is silent if no record comes. */
  #silentAt({ gaps, last, meanGap }: Watched): number {
    return gaps >= KNOWN_GAPS ? last + this.#silence * meanGap : Number.POSITIVE_INFINITY
  }

  /** A deadline in the queue may be early, as records that came since have put it off: then it is entered anew. */
  #listen({ latest, deadlines }: Stream, alarms: EntityAlarm[]): void {
    for (let { first } = deadlines; first !== undefined && first.due < latest; { first } = deadlines) {
      const due = this.#silentAt(first)
      if (due < latest) this.#hear(first, latest, alarms)
      else deadlines.set(first, due)
    }
  }

  #hear(track: Watched, now: number, alarms: EntityAlarm[]): void {
    if (track.silent || !(now > this.#silentAt(track))) return
    track.silent = true
    track.stream.deadlines.delete(track)
    alarms.push(
      this.#alarm('silent', 'firing', track, [], track.last, `no record for ${spoken(now - track.last)}`),
    )
  }

  #speak(track: Watched, time: number, alarms: EntityAlarm[]): void {
    const since = track.last
    const late = time > this.#silentAt(track)
    const gap = track.advance(time)
    if (Number.isNaN(gap)) return
    if (!track.silent && late)
      alarms.push(this.#alarm('silent', 'firing', track, [], since, `no record for ${spoken(gap)}`))
    if (track.silent || late)
      alarms.push(this.#alarm('silent', 'resolved', track, [], since, `records again after ${spoken(gap)}`))
    // What is improbable does not become usual.
    else track.learn(gap)
    track.silent = false
    const due = this.#silentAt(track)
    if (due < Number.POSITIVE_INFINITY && (track.place < 0 || due < track.due))
      track.stream.deadlines.set(track, due)
  }

  #field(track: Watched, f: number, value: number, time: number, alarms: EntityAlarm[]): void {
    if (Number.isNaN(value)) return
    const run = track.repeat(f, value)
    const field = this.#fields[f]
    if (run === this.#runs[f] && !track.stuck.has(f)) {
      track.stuck.add(f)
      alarms.push(
        this.#alarm('stuck', 'firing', track, [field], time, `${field} is ${value} for ${run} records`),
      )
    } else if (run === 1 && track.stuck.delete(f))
      alarms.push(this.#alarm('stuck', 'resolved', track, [field], time, `${field} changes again`))
  }

  #regular(track: Watched, now: boolean, time: number, alarms: EntityAlarm[]): void {
    if (now === track.regular) return
    track.regular = now
    const summary = now ? 'its records are improbably typical' : 'its records vary again'
    alarms.push(this.#alarm('regular', now ? 'firing' : 'resolved', track, [], time, summary))
  }

  #end(track: Watched, alarms: EntityAlarm[]): void {
    const end = (kind: EpisodeKind, fields: readonly string[] = []) =>
      alarms.push(this.#alarm(kind, 'resolved', track, fields, track.last, 'no longer watched'))
    if (track.silent) end('silent')
    for (const f of track.stuck) end('stuck', [this.#fields[f]])
    if (track.regular) end('regular')
  }

  #alarm(
    kind: EpisodeKind,
    state: EntityAlarm['state'],
    { entity }: Watched,
    fields: readonly string[],
    since: number,
    summary: string,
  ): EntityAlarm {
    return {
      kind,
      state,
      entity,
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
