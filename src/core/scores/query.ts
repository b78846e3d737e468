import { SurprisalError } from '../errors.ts'
import { MAX_DATE } from '../iso-times.ts'
import type { DistributionQuery, ScoreQuery, SeriesQuery } from '../ports.ts'
import type { KeepPolicy } from './intake.ts'
import { HOUR, MINUTE, type SeriesRange } from './rollup.ts'

export const MAX_PAGE = 1000
export const MAX_BUCKETS = 10_000
/** Where a page ended. Pages run downwards in (key, prefix, offset); key is the time or the score. */
export interface ScorePosition {
  readonly key: number
  readonly prefix: string
  readonly offset: number
}
/** The sort key of an unscored record when ordering by score: under every score. */
export const UNSCORED_KEY = -1

/** Refuses a query that breaks its rules with QUERY_INVALID; returns where its page starts. */
export function checkScoreQuery(query: ScoreQuery): ScorePosition | undefined {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_PAGE)
    throw invalid(`limit ${query.limit} is not a whole number from 1 to ${MAX_PAGE}`)
  checkTime('from', query.from)
  checkTime('to', query.to)
  return query.cursor === undefined ? undefined : decodeCursor(query.cursor, query.order ?? 'time')
}

/** A cursor is opaque to callers: the position in base64url JSON, tied to its order. */
export function encodeCursor({ key, prefix, offset }: ScorePosition, order: 'time' | 'score'): string {
  return Buffer.from(JSON.stringify([order, key, prefix, offset])).toString('base64url')
}

function decodeCursor(cursor: string, order: 'time' | 'score'): ScorePosition {
  try {
    const [of, key, prefix, offset] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (of === order && Number.isFinite(key) && typeof prefix === 'string' && Number.isSafeInteger(offset))
      return { key, prefix, offset }
  } catch {
    // Not JSON: refused below like every other foreign cursor.
  }
  throw invalid(`cursor "${cursor.slice(0, 60)}" was not given out for this query: start without one`)
}

/** `<prefix>-<offset>` taken apart; undefined where no record can have such an id. */
export function splitId(id: string): { prefix: string; offset: number } | undefined {
  const match = /^(.*)-(0|[1-9]\d{0,15})$/s.exec(id)
  return match === null ? undefined : { prefix: match[1], offset: Number(match[2]) }
}

/**
 * The whole buckets of a series: `from` is rounded down and `to` up to a multiple of `step`. QUERY_INVALID above
 * 10,000 buckets, and for what only kept rows can answer where the store keeps a sample of them.
 */
export function checkSeriesQuery(query: SeriesQuery, keep: KeepPolicy): SeriesRange {
  checkTime('from', query.from)
  checkTime('to', query.to)
  if (!Number.isSafeInteger(query.step) || query.step < 1)
    throw invalid(`step ${query.step} is not a whole number of milliseconds from 1`)
  if (!(query.from < query.to)) throw invalid(`from ${query.from} is not before to ${query.to}`)
  const from = Math.floor(query.from / query.step) * query.step
  const to = Math.ceil(query.to / query.step) * query.step
  const buckets = (to - from) / query.step
  if (buckets > MAX_BUCKETS)
    throw invalid(`${buckets} buckets are more than ${MAX_BUCKETS}: take a longer step or a shorter range`)
  if (keep.rows !== 'all' && (query.entity !== undefined || query.step % MINUTE !== 0))
    throw invalid(
      'this store keeps a sample of the normal records, so series come from its roll-ups: ' +
        'leave out entity, and take a step of whole minutes',
    )
  return { from, to, step: query.step }
}

/** Distributions of up to this long come from the roll-up per minute, longer ones from that per hour. */
const LONG = 6 * 24 * HOUR

/** The whole minutes or hours of a distribution, rounded outwards; `step` is the width of its roll-ups. */
export function checkDistributionQuery({ from, to }: DistributionQuery): SeriesRange {
  checkTime('from', from)
  checkTime('to', to)
  if (!(from < to)) throw invalid(`from ${from} is not before to ${to}`)
  const step = to - from > LONG ? HOUR : MINUTE
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, step }
}

/** The widest roll-up that adds up to the step; undefined where rows must be read. */
export function rollupWidth(query: SeriesQuery): number | undefined {
  if (query.entity !== undefined) return undefined
  return [HOUR, MINUTE].find((width) => query.step % width === 0)
}

function checkTime(name: string, time: number | undefined): void {
  if (time !== undefined && !(Math.abs(time) <= MAX_DATE))
    throw invalid(`${name} ${time} is not a time in epoch milliseconds`)
}

function invalid(message: string): SurprisalError {
  return new SurprisalError('QUERY_INVALID', message)
}
