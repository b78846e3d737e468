const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Says when a store that keeps scores for so many days should drop a pipeline's old ones: once an hour. */
export class RetentionClock {
  private readonly days: number | undefined
  private readonly last = new Map<string, number>()

  constructor(days: number | undefined) {
    this.days = days
  }

  /** The time (epoch milliseconds) before which scores are too old, or undefined where it is not yet time to look. */
  due(pipeline: string, now: number = Date.now()): number | undefined {
    if (this.days === undefined || now - (this.last.get(pipeline) ?? 0) < HOUR) return undefined
    this.last.set(pipeline, now)
    return now - this.days * DAY
  }
}
