import type { RecordBatch } from '../../core/record.ts'

const DAY = 86_400_000
const MOSTLY = 0.95

/** What the times of a stream say: its span, its volume, and whether it came in order. */
export class StreamTimes {
  #rows = 0
  #timed = 0
  #rising = 0
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY
  #previous = Number.NaN

  add(batch: RecordBatch): void {
    this.#rows += batch.rows
    const times = timesOf(batch)
    if (times === undefined) return
    for (let i = 0; i < batch.rows; i++) {
      const time = times[i]
      if (!(Math.abs(time) <= 8.64e15)) continue
      this.#timed++
      if (!(time < this.#previous)) this.#rising++
      this.#previous = time
      if (time < this.#first) this.#first = time
      if (time > this.#last) this.#last = time
    }
  }

  /** Nearly all records have a time, and each is nearly always at or after the one before. */
  get ordered(): boolean {
    return this.#timed > MOSTLY * this.#rows && this.#rising > MOSTLY * this.#timed
  }

  /** null without times, or where all are the same. */
  get recordsPerDay(): number | null {
    const days = (this.#last - this.#first) / DAY
    return days > 0 ? this.#rows / days : null
  }

  get span(): { readonly first_time: string | null; readonly last_time: string | null } {
    if (this.#timed === 0) return { first_time: null, last_time: null }
    return {
      first_time: new Date(this.#first).toISOString(),
      last_time: new Date(this.#last).toISOString(),
    }
  }
}

/** The event times, else the first column of times; undefined where there is none. */
export function timesOf(batch: RecordBatch): Float64Array | undefined {
  if (batch.eventTime !== undefined) return batch.eventTime
  for (const column of batch.columns.values()) if (column.kind === 'timestamp') return column.values
  return undefined
}
