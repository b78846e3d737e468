import { columnNamed, type RecordBatch } from '../../core/record.ts'
import { BLOCK, type ColumnEncoder, type EncodeTarget } from '../encode-target.ts'
import { PRESENT, type ReadNumbers, timeReader } from './read-numbers.ts'
import { shown } from './text.ts'

/** The time column as context: never modelled itself. */
export interface ClockState {
  readonly kind: 'clock'
  /** null: the batch's event time. */
  readonly field: string | null
  readonly numbers: boolean
  /** Training spans at least two days and times of day differ. */
  readonly hour: boolean
  /** Training spans at least two weeks. */
  readonly weekday: boolean
  readonly missing: boolean
}

const MINUTE = 60_000
const DAY = 86_400_000

export function fitClock(
  field: string | null,
  {
    span,
    hours,
    missing,
    numbers,
  }: { span: readonly [number, number] | null; hours: number; missing: number; numbers: boolean },
): ClockState {
  const days = span === null ? 0 : (span[1] - span[0]) / DAY
  return {
    kind: 'clock',
    field,
    numbers,
    hour: days >= 2 && hours > 1,
    weekday: days >= 13,
    missing: missing > 0,
  }
}

export function clockColumns({ hour, weekday }: ClockState): string[] {
  return [...(hour ? ['hour_sin', 'hour_cos'] : []), ...(weekday ? ['weekday_sin', 'weekday_cos'] : [])]
}

const circle = (parts: number): Float32Array =>
  Float32Array.from({ length: 2 * parts }, (_, i) => {
    const angle = (2 * Math.PI * (i >> 1)) / parts
    return i & 1 ? Math.cos(angle) : Math.sin(angle)
  })
const MINUTES = circle(1440)
const WEEKDAYS = circle(7)
const values = new Float64Array(BLOCK)
const status = new Uint8Array(BLOCK)

/** Writes sine and cosine of the time of day (UTC, to the minute) and of the weekday; zeros where the time is missing. */
export class ClockEncoder implements ColumnEncoder {
  readonly #state: ClockState
  readonly #at: number
  readonly #logNever: number

  constructor(state: ClockState, at: number, logNever: number) {
    this.#state = state
    this.#at = at
    this.#logNever = logNever
  }

  bind(batch: RecordBatch, target: EncodeTarget): (from: number, to: number) => void {
    const { field, hour, weekday } = this.#state
    const read = this.#reader(batch, target)
    const width = target.widths.context
    return (from, to) => {
      const holes = read(from, to, values, status)
      for (let row = from; row < to; row++) {
        const ms = values[row - from]
        const held = holes ? status[row - from] : PRESENT
        let at = row * width + this.#at
        const known = held === PRESENT && Number.isFinite(ms)
        if (!known && held === PRESENT && field !== null)
          target.reject(row, `${field}: ${shown(ms)} is not a point in time`)
        else if (!known && field !== null && !this.#state.missing) {
          target.logDiscrete[row] += this.#logNever
          target.note(row, `${field}: was never missing in training, is missing`)
        }
        if (hour) {
          const minute = known ? Math.floor((ms - DAY * Math.floor(ms / DAY)) / MINUTE) : 0
          target.context[at++] = known ? MINUTES[2 * minute] : 0
          target.context[at++] = known ? MINUTES[2 * minute + 1] : 0
        }
        if (weekday) {
          const day = known ? (((Math.floor(ms / DAY) + 4) % 7) + 7) % 7 : 0
          target.context[at++] = known ? WEEKDAYS[2 * day] : 0
          target.context[at] = known ? WEEKDAYS[2 * day + 1] : 0
        }
      }
    }
  }

  #reader(batch: RecordBatch, target: EncodeTarget): ReadNumbers {
    const { field, numbers } = this.#state
    if (field !== null)
      return timeReader(columnNamed(batch, field), field, numbers, target.reject.bind(target))
    const { eventTime } = batch
    return (from, to, out) => {
      if (eventTime === undefined) out.fill(Number.NaN, 0, to - from)
      else out.set(eventTime.subarray(from, to))
      return false
    }
  }
}
