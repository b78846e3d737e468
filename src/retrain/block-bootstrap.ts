import type { Random } from '../core/random.ts'

/** Values below the 1 % and above the 99 % quantile are pulled in to it: one wild record decides nothing. */
export function winsorize(values: Float64Array): Float64Array {
  const sorted = values.slice().sort()
  const cut = Math.floor(values.length / 100)
  const low = sorted[cut]
  const high = sorted[sorted.length - 1 - cut]
  return values.map((value) => Math.min(high, Math.max(low, value)))
}

export function mean(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

/**
 * A 95 % interval of a statistic of a dependent series by the moving-block bootstrap (Künsch 1989): blocks of
 * n^⅓ neighbours, drawn with replacement, keep the dependence inside them.
 */
export function blockBootstrap(
  values: Float64Array,
  statistic: (values: Float64Array) => number,
  random: Random,
  replicates = 400,
): { readonly low: number; readonly high: number } {
  const n = values.length
  const block = Math.max(1, Math.round(Math.cbrt(n)))
  const resample = new Float64Array(n)
  const estimates = Float64Array.from({ length: replicates }, () => {
    for (let filled = 0; filled < n; filled += block) {
      const start = random.integer(n - block + 1)
      resample.set(values.subarray(start, start + Math.min(block, n - filled)), filled)
    }
    return statistic(resample)
  }).sort()
  return {
    low: estimates[Math.floor(0.025 * replicates)],
    high: estimates[Math.ceil(0.975 * replicates) - 1],
  }
}
