/** Every quantile of a histogram is within this share of a true one (scores above SMALLEST). */
export const RELATIVE_ACCURACY = 0.02

const GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY)
const LOG_GAMMA = Math.log(GAMMA)
const SMALLEST = 1e-3
const LAST_BIN = 600

/**
 * Scores counted in bins of equal relative width, so that histograms merge by adding counts and quantiles keep a
 * relative accuracy (DDSketch; Masson, Rim and Lee 2019). Bin 0 holds scores up to 0.001, bin k > 0 those in
 * (0.001 γ^(k−1), 0.001 γ^k].
 */
export class ScoreHistogram {
  readonly counts = new Map<number, number>()
  total = 0

  add(score: number): void {
    this.addBin(binOf(score), 1)
  }

  addBin(bin: number, count: number): void {
    this.counts.set(bin, (this.counts.get(bin) ?? 0) + count)
    this.total += count
  }

  merge(other: ScoreHistogram): void {
    for (const [bin, count] of other.counts) this.addBin(bin, count)
  }

  /** The ⌈q·n⌉-th smallest score, to the relative accuracy; null when empty. */
  quantile(q: number): number | null {
    if (this.total === 0) return null
    const rank = Math.max(1, Math.ceil(q * this.total))
    let seen = 0
    for (const [bin, count] of this.bins()) {
      seen += count
      if (seen >= rank) return midpointOf(bin)
    }
    return midpointOf(LAST_BIN)
  }

  /** [bin, count], ascending by bin: what a store keeps. */
  bins(): [bin: number, count: number][] {
    return [...this.counts].sort((a, b) => a[0] - b[0])
  }
}

function binOf(score: number): number {
  if (!(score > SMALLEST)) return 0
  return Math.min(LAST_BIN, Math.max(1, Math.ceil(Math.log(score / SMALLEST) / LOG_GAMMA)))
}

/** The greatest score of a bin. */
export function upperEdge(bin: number): number {
  return bin >= LAST_BIN ? Number.MAX_VALUE : SMALLEST * GAMMA ** bin
}

function midpointOf(bin: number): number {
  return bin === 0 ? 0 : (2 * SMALLEST * GAMMA ** bin) / (GAMMA + 1)
}
