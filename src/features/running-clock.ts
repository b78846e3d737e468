const KEPT = 7
const MIDDLE = KEPT >> 1
/** Records within so many times the spread of the last times are on time. */
const TOLERANCE = 2

/**
 * What time it is by a stream's own account: the median of its last seven event times, so that up to three records with a
 * wrong clock do not move it far.
 */
export class RunningClock {
  /** In the order of arrival, a ring. */
  readonly #arrived = new Float64Array(KEPT)
  readonly #sorted = new Float64Array(KEPT)
  #count = 0

  /**
   * How far a time is from the clock; 0 within twice the spread of the last times (all but the first and the last of
   * them), which is how far a stream's steps carry it; NaN before seven records.
   */
  offset(time: number): number {
    if (this.#count < KEPT) return Number.NaN
    const sorted = this.#sorted
    const off = time - sorted[MIDDLE]
    return Math.abs(off) <= TOLERANCE * (sorted[KEPT - 2] - sorted[1]) ? 0 : off
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
  }
}
