import { SurprisalError } from '../errors.ts'
import { offsetOf } from '../record.ts'
import { NORMAL, type ScoredBatch } from '../scored.ts'
import { covers, type OffsetRange, withRange } from './offset-ranges.ts'

/**
 * Which rows a store keeps one by one. `all`, or anomalies and unscored records plus a `sample` share of the normal
 * ones. Roll-ups count every record either way.
 */
export interface KeepPolicy {
  readonly rows: 'all' | 'anomalies'
  /** Share of the normal records kept with `anomalies`, 0 … 1, chosen by a hash of the id. */
  readonly sample: number
}
export const KEEP_ALL: KeepPolicy = { rows: 'all', sample: 1 }

export interface Intake {
  /** Rows not stored before: they are counted. */
  readonly fresh: readonly number[]
  /** Those of them that are kept one by one. */
  readonly kept: readonly number[]
  /** The offsets stored once this batch is, and the one range of them that holds the batch. */
  readonly ranges: readonly OffsetRange[]
  readonly range: OffsetRange | undefined
}

/** The span of a JavaScript date; inside it, the years that every database can order by. */
const MAX_DATE = 8.64e15
const FIRST_YEAR = Date.parse('0001-01-01')
const END_OF_YEARS = Date.UTC(10_000, 0)

/** A row's event time as its record states it, epoch milliseconds; null where it has none. */
export function eventTimeAt(scored: ScoredBatch, row: number): number | null {
  const time = scored.batch.eventTime?.[row]
  return time !== undefined && Math.abs(time) <= MAX_DATE ? Math.trunc(time) : null
}

/**
 * Where a row stands in time: its event time or, where that is absent or not in the years 1 to 9999, when it was
 * scored. Epoch milliseconds.
 */
export function timeOf(scored: ScoredBatch, row: number): number {
  const time = eventTimeAt(scored, row)
  return time !== null && time >= FIRST_YEAR && time < END_OF_YEARS ? time : scored.scoredAt
}

/**
 * First write wins, row by row: rows whose offset is in `stored` or came earlier in the batch are left out. A batch
 * stands for every record of its origin between its first and its last offset; gaps are offsets that do not exist.
 */
export function intake(scored: ScoredBatch, stored: readonly OffsetRange[], keep: KeepPolicy): Intake {
  const span = offsetSpan(scored)
  if (span === undefined) return { fresh: [], kept: [], ranges: stored, range: undefined }
  const { origin, rows } = scored.batch
  const fresh: number[] = []
  const seen = new Set<number>()
  const ascending = isAscending(scored)
  for (let row = 0; row < rows; row++) {
    const offset = offsetOf(origin, row)
    if (covers(stored, offset) || seen.has(offset)) continue
    if (!ascending) seen.add(offset)
    fresh.push(row)
  }
  const ranges = withRange(stored, span)
  return {
    fresh,
    kept: keep.rows === 'all' ? fresh : fresh.filter((row) => isKept(scored, row, keep.sample)),
    ranges,
    range: ranges.find((range) => range[0] <= span[0] && range[1] >= span[1]),
  }
}

/** From a batch's first to its last offset; undefined for a batch without rows. */
export function offsetSpan({ batch: { origin, rows } }: ScoredBatch): OffsetRange | undefined {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (let row = 0; row < rows; row++) {
    const offset = offsetOf(origin, row)
    if (!Number.isSafeInteger(offset))
      throw new SurprisalError(
        'RECORD_INVALID',
        `offset ${offset} of ${origin.prefix} is not a whole number: records are stored by their offset`,
      )
    first = Math.min(first, offset)
    last = Math.max(last, offset)
  }
  return rows === 0 ? undefined : [first, last + 1]
}

function isAscending({ batch: { origin, rows } }: ScoredBatch): boolean {
  for (let row = 1; row < rows; row++) if (offsetOf(origin, row) <= offsetOf(origin, row - 1)) return false
  return true
}

function isKept(scored: ScoredBatch, row: number, sample: number): boolean {
  return scored.verdict[row] !== NORMAL || hash(offsetOf(scored.batch.origin, row)) < sample
}

/** A fixed scramble of an offset to [0, 1): the finaliser of MurmurHash3 over both halves. */
function hash(offset: number): number {
  let h = (offset >>> 0) ^ Math.imul(Math.floor(offset / 4294967296), 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296
}
