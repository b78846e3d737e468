interface Slot {
  period: number
  sum: number
  count: number
  /** Mean of the period just before; NaN where nothing was seen in it. */
  before: number
}

/** Remembers one field of one entity slot by slot, for two periods. */
export class Season {
  readonly #period: number
  readonly #slots: number
  readonly #memory = new Map<number, Slot>()

  constructor({ period, slots }: { readonly period: number; readonly slots: number }) {
    this.#period = period
    this.#slots = slots
  }

  /** Mean of the time's slot one period earlier, NaN where nothing is known of it. */
  at(time: number): number {
    const period = Math.floor(time / this.#period)
    const known = this.#memory.get(this.#slotOf(time))
    if (known === undefined) return Number.NaN
    if (known.period === period) return known.before
    return known.period === period - 1 ? known.sum / known.count : Number.NaN
  }

  /** Enters a value; one from before the slot's current period is too late. */
  insert(time: number, value: number): void {
    const period = Math.floor(time / this.#period)
    const slot = this.#slotOf(time)
    const known = this.#memory.get(slot)
    if (known === undefined || period > known.period) {
      const before = known !== undefined && known.period === period - 1 ? known.sum / known.count : Number.NaN
      this.#memory.set(slot, { period, sum: value, count: 1, before })
    } else if (period === known.period) {
      known.sum += value
      known.count++
    }
  }

  #slotOf(time: number): number {
    const into = time - Math.floor(time / this.#period) * this.#period
    return Math.min(this.#slots - 1, Math.floor((into * this.#slots) / this.#period))
  }
}
