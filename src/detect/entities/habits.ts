import { cell, isValid, type RecordBatch } from '../../core/record.ts'
import { finiteValues } from '../../features/windows/windows.ts'

/** How entities behave over time in training: what their silence and their repetitions are measured by. */
export interface Habits {
  /** The column that names the entity, else the batches' entity; likewise the time. */
  readonly entity?: string
  readonly time?: string
  /** Of the gaps between an entity's records, each divided by the mean of those before; null where too few were seen. */
  readonly gaps: {
    readonly count: number
    readonly high: number
    readonly excess: number
    readonly largest: number
  } | null
  /** Per number field: the probability that a value equals the entity's one before, and the longest run of one value. */
  readonly repeats: readonly {
    readonly field: string
    readonly probability: number
    readonly longest: number
  }[]
}

/** Gaps of an entity after which their mean is known. */
export const KNOWN_GAPS = 20
const FEWEST_GAPS = 200
const ENTITIES = 10_000
/** Gap ratios are counted in bins of this many per factor of e. */
const PER_E = 8
const HIGH = 0.9

/** What is remembered of an entity between two of its records. */
export class Track {
  /** Milliseconds; NaN before the first. */
  last = Number.NaN
  gaps = 0
  meanGap = 0
  readonly values: Float64Array
  /** Records in a row with the present value. */
  readonly runs: Int32Array

  constructor(fields: number) {
    this.values = new Float64Array(fields).fill(Number.NaN)
    this.runs = new Int32Array(fields)
  }

  /** The gap that a record at `time` ends, NaN where there is none; late records end none. */
  advance(time: number): number {
    if (!Number.isFinite(time) || time < this.last) return Number.NaN
    const gap = time - this.last
    this.last = time
    return gap
  }

  /** Takes a gap into the mean: of all at first, then with the weight of the last sixty-four. */
  learn(gap: number): void {
    this.gaps++
    this.meanGap += (gap - this.meanGap) / Math.min(this.gaps, 64)
  }

  /** Takes a value of a field; returns how many records in a row have had it by now. */
  repeat(field: number, value: number): number {
    this.runs[field] = value === this.values[field] ? this.runs[field] + 1 : 1
    this.values[field] = value
    return this.runs[field]
  }
}

/** The tracks of entities; beyond `most` the one unseen for longest is forgotten. */
export class Tracks<T> {
  readonly #tracks = new Map<string, T>()
  readonly #most: number
  readonly #make: (key: string) => T

  constructor(make: (key: string) => T, most = ENTITIES) {
    this.#make = make
    this.#most = most
  }

  get size(): number {
    return this.#tracks.size
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.#tracks.entries()
  }

  /** The entity's track, and the one that was forgotten for it. */
  of(key: string): { readonly track: T; readonly forgotten?: readonly [string, T] } {
    const known = this.#tracks.get(key)
    if (known !== undefined) {
      this.#tracks.delete(key)
      this.#tracks.set(key, known)
      return { track: known }
    }
    const track = this.#make(key)
    this.#tracks.set(key, track)
    if (this.#tracks.size <= this.#most) return { track }
    const [oldest] = this.#tracks
    this.#tracks.delete(oldest[0])
    return { track, forgotten: oldest }
  }
}

/** Learns habits along a stream, all of it, in order. */
export class HabitLearner {
  readonly #named: Pick<Habits, 'entity' | 'time'>
  #fields: readonly string[] = []
  #tracks = new Tracks(() => new Track(this.#fields.length))
  readonly #bins = new Map<number, number>()
  #pairs: number[] = []
  #repeated: number[] = []
  #longest: number[] = []
  #gaps = 0
  #largest = 0

  constructor(named: Pick<Habits, 'entity' | 'time'>) {
    this.#named = named
  }

  add(batch: RecordBatch): void {
    if (batch.rows === 0) return
    if (this.#fields.length === 0) this.#begin(batch)
    const read = readers(batch, this.#named, this.#fields)
    for (let row = 0; row < batch.rows; row++) {
      const { track } = this.#tracks.of(read.entity(row))
      this.#gap(track, track.advance(read.time(row)))
      for (let f = 0; f < this.#fields.length; f++) {
        const value = read.values[f][row]
        if (Number.isNaN(value)) continue
        if (!Number.isNaN(track.values[f])) this.#pairs[f]++
        const run = track.repeat(f, value)
        if (run > 1) this.#repeated[f]++
        if (run > this.#longest[f]) this.#longest[f] = run
      }
    }
  }

  habits(): Habits {
    return {
      ...this.#named,
      gaps: this.#gaps < FEWEST_GAPS ? null : this.#gapHabits(),
      repeats: this.#fields.map((field, f) => ({
        field,
        probability: (this.#repeated[f] + 1) / (this.#pairs[f] + 2),
        longest: this.#longest[f],
      })),
    }
  }

  #begin(batch: RecordBatch): void {
    this.#fields = [...batch.columns]
      .filter(([name, { kind }]) => kind === 'number' && !batch.windows?.columns.includes(name))
      .map(([name]) => name)
    this.#pairs = this.#fields.map(() => 0)
    this.#repeated = this.#fields.map(() => 0)
    this.#longest = this.#fields.map(() => 0)
  }

  #gap(track: Track, gap: number): void {
    if (Number.isNaN(gap)) return
    if (track.gaps >= KNOWN_GAPS && track.meanGap > 0) {
      const ratio = gap / track.meanGap
      const bin = Math.floor(PER_E * Math.log(Math.max(ratio, 1e-9)))
      this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + 1)
      this.#gaps++
      if (ratio > this.#largest) this.#largest = ratio
    }
    track.learn(gap)
  }

  #gapHabits(): NonNullable<Habits['gaps']> {
    const bins = [...this.#bins].sort(([a], [b]) => a - b)
    let below = 0
    let high = Number.NaN
    let excess = 0
    let above = 0
    for (const [bin, count] of bins) {
      const ratio = Math.exp((bin + 1) / PER_E)
      below += count
      if (Number.isNaN(high) && below >= HIGH * this.#gaps) high = ratio
      else if (!Number.isNaN(high)) {
        above += count
        excess += count * (ratio - high)
      }
    }
    return { count: this.#gaps, high, excess: above === 0 ? 0 : excess / above, largest: this.#largest }
  }
}

export interface HabitReaders {
  entity(row: number): string
  time(row: number): number
  readonly values: readonly Float64Array[]
}

/** The named columns of a batch; a field that is not there is missing in every row. */
export function readers(
  batch: RecordBatch,
  { entity, time }: Pick<Habits, 'entity' | 'time'>,
  fields: readonly string[],
): HabitReaders {
  const names = entity === undefined ? undefined : batch.columns.get(entity)
  const times = time === undefined ? undefined : batch.columns.get(time)
  return {
    entity: (row) => {
      if (names === undefined) return batch.entity?.[row] ?? ''
      if (names.kind !== 'string') return String(cell(names, row) ?? '')
      return isValid(names.validity, row) ? names.dictionary[names.codes[row]] : ''
    },
    time: (row) => {
      if (times?.kind === 'timestamp') return isValid(times.validity, row) ? times.values[row] : Number.NaN
      return batch.eventTime?.[row] ?? Number.NaN
    },
    values: fields.map((field) =>
      batch.columns.has(field) ? finiteValues(batch, field) : new Float64Array(batch.rows).fill(Number.NaN),
    ),
  }
}
