import { SurprisalError } from './errors.ts'
import { covers, type OffsetRange, withRange } from './offset-ranges.ts'
import { offsetOf } from './record.ts'
import { NORMAL, type ScoredBatch } from './scored.ts'

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
  /** The offsets stored once this batch is. */
  readonly ranges: readonly OffsetRange[]
}

const MAX_DATE = 8.64e15

/** Where a row stands in time: its event time, or when it was scored. Epoch milliseconds. */
export function timeOf(scored: ScoredBatch, row: number): number {
  const time = scored.batch.eventTime?.[row]
  return time !== undefined && Math.abs(time) <= MAX_DATE ? Math.floor(time) : scored.scoredAt
}

/**
 * First write wins, row by row: rows whose offset is in `stored` or came earlier in the batch are left out. A batch
 * stands for every record of its origin between its first and its last offset; gaps are offsets that do not exist.
 */
export function intake(scored: ScoredBatch, stored: readonly OffsetRange[], keep: KeepPolicy): Intake {
  const { origin, rows } = scored.batch
  const fresh: number[] = []
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  let earlier: Set<number> | undefined
  for (let row = 0; row < rows; row++) {
    const offset = offsetOf(origin, row)
    if (!Number.isSafeInteger(offset))
      throw new SurprisalError(
        'RECORD_INVALID',
        `offset ${offset} of ${origin.prefix} is not a whole number: records are stored by their offset`,
      )
    if (offset <= last && earlier === undefined) {
      earlier = new Set()
      for (let i = 0; i < row; i++) earlier.add(offsetOf(origin, i))
    }
    const doubled = earlier?.has(offset) ?? false
    earlier?.add(offset)
    if (!doubled && !covers(stored, offset)) fresh.push(row)
    first = Math.min(first, offset)
    last = Math.max(last, offset)
  }
  return {
    fresh,
    kept: keep.rows === 'all' ? fresh : fresh.filter((row) => isKept(scored, row, keep.sample)),
    ranges: rows === 0 ? stored : withRange(stored, [first, last + 1]),
  }
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
