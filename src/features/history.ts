import type { WindowStatistic } from './window-spec.ts'

/** The last records of one field of one entity, in the order of their times (ties in the order of arrival). */
export class History {
  readonly #capacity: number
  readonly #times: number[]
  readonly #values: number[]
  /** Records were dropped: what lies before the first one is unknown. */
  #cut: boolean

  constructor(capacity: number, saved: SavedHistory = { times: [], values: [], cut: false }) {
    this.#capacity = capacity
    this.#times = [...saved.times]
    this.#values = [...saved.values]
    this.#cut = saved.cut
  }

  /** How many of the kept records precede a record of this time. */
  placeOf(time: number): number {
    let place = this.#times.length
    while (place > 0 && this.#times[place - 1] > time) place--
    return place
  }

  /** The value k records before `place`, NaN where there is none. */
  lag(place: number, k: number): number {
    return this.#values[place - k] ?? Number.NaN
  }

  /** A statistic of the `size` records before `place`, NaN where there are fewer. */
  statistic(place: number, size: number, name: WindowStatistic): number {
    if (place < size) return Number.NaN
    const values = this.#values
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = place - size; i < place; i++) {
      if (values[i] < low) low = values[i]
      if (values[i] > high) high = values[i]
    }
    if (name === 'min') return low
    if (name === 'max') return high
    let mean = 0
    for (let i = place - size; i < place; i++) mean += (values[i] - low) / size
    if (name === 'mean') return low + mean
    let square = 0
    for (let i = place - size; i < place; i++) square += (values[i] - low - mean) ** 2 / size
    return Math.sqrt(square)
  }

  /** Enters a record at its place; one older than everything kept, once records were dropped, is too late. */
  insert(place: number, time: number, value: number): void {
    if (this.#capacity === 0 || (place === 0 && this.#cut)) return
    this.#times.splice(place, 0, time)
    this.#values.splice(place, 0, value)
    if (this.#times.length <= this.#capacity) return
    this.#times.shift()
    this.#values.shift()
    this.#cut = true
  }

  save(): SavedHistory {
    return { times: [...this.#times], values: [...this.#values], cut: this.#cut }
  }
}

export interface SavedHistory {
  readonly times: readonly number[]
  readonly values: readonly number[]
  readonly cut: boolean
}
