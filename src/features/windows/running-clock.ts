const KEPT = 7
const MIDDLE = KEPT >> 1
/** Records within so many times the spread of the last times are on time. */
const TOLERANCE = 10
/** Records over which the usual spread is averaged. */
const MEMORY = 1024
/** Records after which what came before counts less than e^−8. */
export const CLOCK_REACH = 8 * MEMORY

/**
 * What time it is by a stream's own account: the median of its last seven event times, so that up to three records with a
 * wrong clock do not move it far.
 */
export class RunningClock {
  /** In the order of arrival, a ring. */
  readonly #arrived = new Float64Array(KEPT)
  readonly #sorted = new Float64Array(KEPT)
  #count = 0
  /** Means over the stream, the last records counting most: of the spreads, and of how many of them are not 0. */
  #spreads = 0
  #spreading = 0

  /**
   * How far a time is from the clock; 0 within ten times the spread of the last times (the first and the last of them
   * left out) or its mean over the stream, whichever is more: about as long as forty records take. Where many records
   * have one time, as in batches, spreads of 0 do not count in the mean. Quiet hours, their ends and bursts are no news.
   * NaN before seven records.
   */
  offset(time: number): number {
    if (this.#count < KEPT) return Number.NaN
    const off = time - this.#sorted[MIDDLE]
    return Math.abs(off) <= TOLERANCE * Math.max(this.#spread, this.#usual) ? 0 : off
  }

  /** Takes the time of a record. */
  advance(time: number): void {
    const sorted = this.#sorted
    const slot = this.#count % KEPT
    let at = this.#count
    if (this.#count >= KEPT) {
      at = sorted.indexOf(this.#arrived[slot])
      while (at + 1 < KEPT && sorted[at + 1] < time) sorted[at] = sorted[++at]
    }
    while (at > 0 && sorted[at - 1] > time) sorted[at] = sorted[--at]
    sorted[at] = time
    this.#arrived[slot] = time
    this.#count++
    if (this.#count < KEPT) return
    const weight = 1 / Math.min(this.#count, MEMORY)
    this.#spreads += weight * (this.#spread - this.#spreads)
    this.#spreading += weight * (Math.sign(this.#spread) - this.#spreading)
  }

  get #usual(): number {
    return this.#spreading === 0 ? 0 : this.#spreads / this.#spreading
  }

  get #spread(): number {
    return this.#sorted[KEPT - 2] - this.#sorted[1]
  }
}
