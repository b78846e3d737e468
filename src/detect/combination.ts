import { quantile } from '../features/columns/scaling.ts'
/** Where the log densities of normal records lie for one member: what makes members comparable. */
export interface Standard {
  readonly median: number
  readonly iqr: number
}

/** Median and interquartile range of held-out log densities; an IQR of 0 (all alike) counts as 1. */
export function standardOf(logDensities: ArrayLike<number>): Standard {
  const sorted = Float64Array.from(logDensities).sort()
  const iqr = quantile(sorted, 0.75) - quantile(sorted, 0.25)
  return { median: quantile(sorted, 0.5), iqr: iqr > 1e-6 ? iqr : 1 }
}

/**
 * The surprisal that decides: s = novelty − Σ_m asinh((log p_m − median_m) / IQR_m) over the members, unit-free.
 * asinh keeps the order of each member, is linear among normal records and logarithmic in the tails, so that no
 * member alone can drown the others; what is there for the first time (`novelty`, nats) is not to be drowned either.
 */
export function combine(
  logDensities: readonly Float64Array[],
  standards: readonly Standard[],
  novelty: Float64Array,
): Float64Array {
  const rows = novelty.length
  const out = novelty.slice()
  for (let m = 0; m < standards.length; m++) {
    const { median, iqr } = standards[m]
    const density = logDensities[m]
    for (let i = 0; i < rows; i++) out[i] -= asinh((density[i] - median) / iqr)
  }
  return out
}

/** Math.asinh takes three times as long; the relative error this has near 0 is nothing beside the other members. */
function asinh(x: number): number {
  const size = Math.abs(x)
  const value = Math.log(size + Math.sqrt(size * size + 1))
  return x < 0 ? -value : value
}
