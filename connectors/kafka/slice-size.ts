/**
 * How many records one delivery carries, so that it takes about `targetMs` from hand-out to acknowledgement:
 * grows by half after a quick full slice, shrinks in proportion after a slow one.
 */
export class SliceSize {
  private readonly targetMs: number
  private readonly max: number
  private size: number

  constructor(targetMs: number, max: number) {
    this.targetMs = targetMs
    this.max = max
    this.size = Math.min(1024, max)
  }

  get records(): number {
    return this.size
  }

  observe(records: number, milliseconds: number): void {
    if (milliseconds > this.targetMs * 1.5)
      this.size = Math.max(
        Math.min(64, this.max),
        Math.min(this.size, Math.round((records * this.targetMs) / milliseconds)),
      )
    else if (records >= this.size && milliseconds < this.targetMs * 0.75)
      this.size = Math.min(this.max, Math.round(this.size * 1.5))
  }
}
