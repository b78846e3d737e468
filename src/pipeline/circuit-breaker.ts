import { SurprisalError } from '../core/errors.ts'

/** `errors:` of a pipeline; a new limit counts from the next batch on. */
export interface CircuitBreakerOptions {
  /** Records that the share is taken over. */
  readonly window: number
  /** Share of bad records, 0 … 1, over which the pipeline stops. */
  readonly max_share: number
}

/**
 * Counts bad records (rejected or unscored) over the last `window` records, in ten buckets, and throws
 * TOO_MANY_FAILURES when a full window holds too many: something upstream broke, and dead letters by the million
 * would only bury it.
 */
export class CircuitBreaker {
  private readonly options: CircuitBreakerOptions
  private readonly buckets: { records: number; bad: number }[] = [{ records: 0, bad: 0 }]

  constructor(options: CircuitBreakerOptions) {
    this.options = options
  }

  observe(records: number, bad: number, example: () => string): void {
    const { window, max_share: maxShare } = this.options
    const last = this.buckets.at(-1)!
    last.records += records
    last.bad += bad
    let total = this.buckets.reduce((sum, bucket) => sum + bucket.records, 0)
    while (total - this.buckets[0].records >= window) total -= this.buckets.shift()!.records
    const failed = this.buckets.reduce((sum, bucket) => sum + bucket.bad, 0)
    if (total >= window && failed > total * maxShare) {
      throw new SurprisalError(
        'TOO_MANY_FAILURES',
        `${failed} of the last ${total} records are bad, over the limit of ${maxShare * 100} %; for example: ${example()}. ` +
          'Nothing of this batch is committed: repair the producer or raise errors.max_share, and start again',
      )
    }
    if (last.records >= window / 10) this.buckets.push({ records: 0, bad: 0 })
  }
}
