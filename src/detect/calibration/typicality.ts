/** Records per mean. */
const BLOCK = 32
/** Means that teach what is usual, before any is judged, and means that it is averaged over in the end. */
const TAUGHT = 64
const REMEMBERED = 1024
/** Standard deviations above the usual that go by unheeded; standard errors of what is usual. */
const ALLOWANCE = 1
const DOUBT = 2
/** A p-value of 1 would count without limit. */
const LEAST = 1e-4

/**
 * Watches for records that are all too typical. With p uniform, v = −ln(1 − p) is exponential with mean 1, and large for
 * what is typical. Means of 32 v, whose cube root is nearly normal (Wilson and Hilferty 1931), are standardised by what
 * the entity's own means were like so far, and a one-sided CUSUM (Page 1954) of z − 1 alarms beyond h, until it is back
 * at 0; h = ½ ln(2 / (32 α)) − 1.166 gives one false alarm in 1/α independent records (Siegmund 1985). Two standard
 * errors of the mean are allowed for, so that a short past does not make more.
 */
export class Typicality {
  readonly #limit: number
  #sum = 0
  #records = 0
  #means = 0
  #mean = 0
  #variance = 0
  #excess = 0
  #alarm = false

  /** `rate`: false alarms per record. */
  constructor(rate: number) {
    this.#limit = Math.max(1, Math.log(2 / (BLOCK * rate)) / 2 - 1.166)
  }

  /** Takes a p-value; true while the records are improbably typical. */
  take(p: number): boolean {
    this.#sum -= Math.log(Math.max(LEAST, 1 - p))
    if (++this.#records === BLOCK) {
      const value = Math.cbrt(this.#sum / BLOCK)
      if (this.#means >= TAUGHT) this.#judge(value)
      // What is improbable does not become usual.
      if (!this.#alarm) this.#learn(value)
      this.#sum = 0
      this.#records = 0
    }
    return this.#alarm
  }

  #judge(value: number): void {
    const z = (value - this.#mean) / (Math.sqrt(this.#variance) || 1)
    const above = z - ALLOWANCE - DOUBT / Math.sqrt(this.#means)
    this.#excess = Math.min(2 * this.#limit, Math.max(0, this.#excess + above))
    if (this.#excess > this.#limit) this.#alarm = true
    else if (this.#excess === 0) this.#alarm = false
  }

  #learn(value: number): void {
    this.#means = Math.min(this.#means + 1, REMEMBERED)
    const off = value - this.#mean
    this.#mean += off / this.#means
    this.#variance += (off * (value - this.#mean) - this.#variance) / this.#means
  }
}
