import type { WindowExtent, WindowStatistic } from './window-spec.ts'

/** The last records of one field of one entity, in the order of their times (ties in the order of arrival). */
export class History {
  readonly #capacity: number
  readonly #times: number[] = []
  readonly #values: number[] = []
  /** Records were dropped: what lies before the first one is unknown. */
  #cut = false

  constructor(capacity: number) {
    this.#capacity = capacity
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

  /** Where the extent before a record at `place` and `time` begins; −1 where the past does not reach that far. */
  start(place: number, time: number, extent: WindowExtent): number {
    if ('size' in extent) return place - extent.size
    const since = time - extent.span
    if (!this.#cut && !(this.#times[0] <= since)) return -1
    let from = place
    while (from > 0 && this.#times[from - 1] > since) from--
    return from === place ? -1 : from
  }

  /** A statistic of the records from `from` to before `place`; NaN for a negative `from`. */
  statistic(from: number, place: number, name: WindowStatistic): number {
    if (from < 0) return Number.NaN
    const values = this.#values
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let i = from; i < place; i++) {
      if (values[i] < low) low = values[i]
      if (values[i] > high) high = values[i]
    }
    if (name === 'min') return low
    if (name === 'max') return high
    const size = place - from
    let mean = 0
    for (let i = from; i < place; i++) mean += (values[i] - low) / size
    if (name === 'mean') return low + mean
    let square = 0
    for (let i = from; i < place; i++) square += (values[i] - low - mean) ** 2 / size
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
}
