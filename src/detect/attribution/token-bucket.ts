/** Grants that many tokens a second, saving up at most one second's worth. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #now: () => number
  #tokens: number
  #filled: number

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#tokens = perSecond
    this.#filled = now()
  }

  /** As many of the wanted tokens as there are. */
  take(wanted: number): number {
    const now = this.#now()
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#filled) / 1000) * this.#perSecond)
    this.#filled = now
    const granted = Math.max(0, Math.min(wanted, Math.floor(this.#tokens)))
    this.#tokens -= granted
    return granted
  }
}
