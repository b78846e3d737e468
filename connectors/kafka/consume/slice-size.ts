const FEWEST = 256
/** The share that one more slice has in the mean time and size. */
const WEIGHT = 0.2

/**
 * How many records one delivery carries, so that the pipeline, when it has all it can do, finishes one about every
 * `targetMs`. The time between two acknowledgements is what counts: the time that one slice takes holds the waiting
 * behind the others, and smaller slices would not shorten it. Nor would they where a slice costs more than its records:
 * of a partition that is far behind half of what waits is taken at once, for the last of it waits the less the fewer
 * slices come before.
 */
export class SliceSize {
  private readonly targetMs: number
  private readonly max: number
  private size: number
  private busySince: number | undefined
  private meanMs = 0
  private meanRecords = 0

  constructor(targetMs: number, max: number) {
    this.targetMs = targetMs
    this.max = max
    this.size = Math.min(1024, max)
  }

  /** Records to take of a partition where `waiting` are there. */
  of(waiting: number): number {
    return Math.min(this.max, Math.max(this.size, Math.ceil(waiting / 2)))
  }

  /** A slice was acknowledged at `now` (milliseconds); `behind` where further records wait. */
  observe(records: number, behind: boolean, now: number): void {
    const { busySince } = this
    this.busySince = behind ? now : undefined
    if (busySince === undefined) return
    this.meanMs += WEIGHT * (now - busySince - this.meanMs)
    this.meanRecords += WEIGHT * (records - this.meanRecords)
    const fitting = Math.round((this.meanRecords * this.targetMs) / Math.max(this.meanMs, 1e-3))
    const least = Math.min(FEWEST, this.max)
    this.size = Math.max(least, Math.min(this.max, fitting, Math.round(this.size * 1.5)))
  }
}
