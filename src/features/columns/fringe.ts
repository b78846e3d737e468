import { type Scaling, tame } from './scaling.ts'

/** Where the outermost values of a number column begin, and how far they go: in tamed units u. */
export interface Fringe {
  readonly low: number
  readonly lowReach: number
  readonly high: number
  readonly highReach: number
}

/** So few that a heavy tail is no bulk, and so many that one odd value does not set the measure. */
const OUTERMOST = 8
/** Of few values at most this share at either end. */
const SHARE = 0.25
/** The noise that flows take values to carry. */
const LEAST_REACH = 0.05

/**
 * From ascending values: u of the eighth outermost value at either end, and the mean distance of the eight from it, at
 * least one step of the column's grid. null under 4 values.
 */
export function fringeOf(sorted: Float64Array, scaling: Scaling & { readonly step: number }): Fringe | null {
  const count = Math.min(OUTERMOST, Math.floor(SHARE * sorted.length))
  if (count < 1) return null
  const least = Math.max(LEAST_REACH, scaling.step / scaling.scale)
  const ends = [sorted.subarray(0, count), sorted.subarray(sorted.length - count)].map((end) =>
    Array.from(end, (x) => tame(x, scaling)),
  )
  const low = ends[0][count - 1]
  const high = ends[1][0]
  const reach = (end: readonly number[], from: number) =>
    Math.max(least, end.reduce((sum, u) => sum + Math.abs(u - from), 0) / count)
  return { low, lowReach: reach(ends[0], low), high, highReach: reach(ends[1], high) }
}

/**
 * −log P(U > u | U in the fringe) at the end where u is, nats; 0 between the ends and where u is NaN. Excesses over a
 * high threshold are about exponential (Pickands 1975), in tamed units so that heavy tails are too.
 */
export function beyond(u: number, { low, lowReach, high, highReach }: Fringe): number {
  if (u > high) return (u - high) / highReach
  return u < low ? (low - u) / lowReach : 0
}
