import { type ScoredBatch, UNSCORED } from '../../core/scored.ts'
import { chiSquareTail } from './chi-square.ts'
import { binCount, type DriftReference, eachBin, P_BINS } from './drift-reference.ts'

export interface DriftOptions {
  /** Expected false triggers per 30 days, over all fields and looks (a Bonferroni bound). */
  readonly falseTriggersPerMonth: number
  /** Smallest population stability index that counts as a change worth acting on. */
  readonly minimumEffect: number
  /** Looks in a row that must agree. */
  readonly persistence: number
}
export const DRIFT: DriftOptions = {
  falseTriggersPerMonth: 0.1,
  minimumEffect: 0.1,
  persistence: 2,
}

/** The p-values of normal records are uniform whatever the fields do: this name stands for them in a look. */
export const P_VALUE = 'p-value'

export interface FieldDrift {
  readonly field: string
  /**
   * Population stability index Σ (o − e) ln(o / e), 0.1 moderate, 0.25 large, less what chance alone gives it:
   * (bins − 1) · design effect ÷ records (Yurdakul 2018).
   */
  readonly effect: number
  /** Of Pearson's χ² ÷ design effect. */
  readonly p: number
  readonly drifted: boolean
}
export interface DriftLook {
  /** Time of the window's first and last record, epoch milliseconds (scored time where records have none). */
  readonly from: number
  readonly to: number
  readonly records: number
  /** Most drifted first. */
  readonly fields: readonly FieldDrift[]
  /** Fields that drifted in `persistence` looks in a row: act on them. */
  readonly triggered: readonly string[]
}

const MONTH = 30 * 86_400_000

/**
 * Compares windows of the stream with the training window, field by field, and the p-values with the uniform
 * distribution. One look per full window; at each look every field is tested at the level that, spent over the looks
 * of a month and over all fields, gives `falseTriggersPerMonth`. χ² is divided by the design effect measured on the
 * training data, so that autocorrelated fields do not cry wolf.
 */
export class DriftMonitor {
  private readonly tracked: {
    field: string
    shares: readonly number[]
    designEffect: number
    counts: Float64Array
  }[]
  private readonly streak = new Map<string, number>()
  private from = Number.NaN
  private records = 0
  private seen = 0

  constructor(
    private readonly reference: DriftReference,
    private readonly options: DriftOptions = DRIFT,
  ) {
    this.tracked = reference.fields.map(({ field, binning, shares, designEffect }) => {
      return { field, shares, designEffect, counts: new Float64Array(binCount(binning)) }
    })
    const uniform = new Array<number>(P_BINS).fill(1 / P_BINS)
    const { pValueDesignEffect: designEffect = 1 } = reference
    this.tracked.push({ field: P_VALUE, shares: uniform, designEffect, counts: new Float64Array(P_BINS) })
  }

  /** Takes a scored batch in; returns a look when the window is full. */
  observe(scored: ScoredBatch): DriftLook | undefined {
    const { batch } = scored
    const { block, stride, fields } = this.reference
    const first = (stride - (this.seen % stride)) % stride
    this.seen += batch.rows
    if (first >= batch.rows) return undefined
    const timeOf = (row: number): number => batch.eventTime?.[row] ?? scored.scoredAt
    if (this.records === 0) this.from = timeOf(first)
    const chosen = (row: number): boolean => row >= first && (row - first) % stride === 0
    for (const [i, { field, binning }] of fields.entries()) {
      const column = batch.columns.get(field)
      const { counts } = this.tracked[i]
      let row = 0
      if (column === undefined) counts[counts.length - 1] += Math.ceil((batch.rows - first) / stride)
      else
        eachBin(binning, column, batch.rows, (bin) => {
          if (chosen(row++)) counts[bin]++
        })
    }
    const p = this.tracked[this.tracked.length - 1].counts
    for (let row = first; row < batch.rows; row += stride) {
      if (scored.verdict[row] !== UNSCORED) p[Math.min(P_BINS - 1, Math.floor(scored.pValue[row] * P_BINS))]++
      this.records++
    }
    return this.records < block ? undefined : this.look(timeOf(batch.rows - 1))
  }

  private look(to: number): DriftLook {
    const { falseTriggersPerMonth, minimumEffect, persistence } = this.options
    const span = Math.max(1, to - this.from)
    const level = Math.min(0.01, (falseTriggersPerMonth * span) / MONTH / this.tracked.length)
    const fields = this.tracked.map(({ field, shares, designEffect, counts }): FieldDrift => {
      const { effect, p } = compare(counts, shares, designEffect)
      const drifted = p <= level && effect >= minimumEffect
      this.streak.set(field, drifted ? (this.streak.get(field) ?? 0) + 1 : 0)
      counts.fill(0)
      return { field, effect, p, drifted }
    })
    fields.sort((a, b) => Number(b.drifted) - Number(a.drifted) || b.effect - a.effect)
    const triggered = fields
      .map(({ field }) => field)
      .filter((field) => this.streak.get(field)! >= persistence)
    const look = { from: this.from, to, records: this.records, fields, triggered }
    this.records = 0
    return look
  }
}

function compare(
  counts: Float64Array,
  shares: readonly number[],
  designEffect: number,
): { effect: number; p: number } {
  const n = counts.reduce((a, b) => a + b, 0)
  if (n === 0) return { effect: 0, p: 1 }
  let effect = 0
  let chi = 0
  for (let i = 0; i < shares.length; i++) {
    const observed = (counts[i] + 0.5) / (n + 0.5 * shares.length)
    effect += (observed - shares[i]) * Math.log(observed / shares[i])
    chi += (counts[i] - n * shares[i]) ** 2 / (n * shares[i])
  }
  const chance = ((shares.length - 1) * designEffect) / n
  return { effect: Math.max(0, effect - chance), p: chiSquareTail(chi / designEffect, shares.length - 1) }
}
