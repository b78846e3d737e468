import { type Column, cell, isValid, type RecordBatch } from '../../core/record.ts'

/**
 * The shape of each field over the training window, as shares of bins, with the design effect that says how much more
 * these shares vary from window to window than independent records would (autocorrelation, daily cycles).
 */
export interface DriftReference {
  /** Records per block over which the design effects were measured: the monitor looks at as many. */
  readonly block: number
  /** The training records are every stride-th of what was offered: the monitor takes as few, so that spans of time match. */
  readonly stride: number
  readonly fields: readonly FieldReference[]
  /** Of the p-values against the uniform distribution. Absent in models of earlier releases: 1. */
  readonly pValueDesignEffect?: number
}
export interface FieldReference {
  readonly field: string
  readonly binning: Binning
  /** One share per bin, all above 0, sum 1. */
  readonly shares: readonly number[]
  /** Variance of a block's shares ÷ that of independent records; at least 1. */
  readonly designEffect: number
}
/** numeric: bin i holds (edges[i−1], edges[i]]; then one bin for missing. category: the levels, then others, then missing. */
export type Binning =
  | { readonly kind: 'numeric'; readonly edges: readonly number[] }
  | { readonly kind: 'category'; readonly levels: readonly string[] }

export const P_BINS = 20
const BINS = 16
const MAX_LEVELS = 32

/** Learns the reference of the named fields from training batches in time order. */
export function driftReference(
  batches: readonly RecordBatch[],
  names: readonly string[],
  { stride = 1, block = 1000 }: { readonly stride?: number; readonly block?: number } = {},
): DriftReference {
  const fields: FieldReference[] = []
  for (const field of names) {
    const columns = batches.map((batch) => [batch.columns.get(field), batch.rows] as const)
    const present = columns.filter((pair): pair is readonly [Column, number] => pair[0] !== undefined)
    const binning = binningOf(present)
    if (binning !== undefined) fields.push({ field, binning, ...sharesOf(binning, present, block) })
  }
  return { block, stride, fields }
}

/**
 * How much more the p-values of blocks vary than independent uniform numbers: days differ, and n calibration records
 * know each quantile no better than a block of as many, which multiplies the variance by 1 + block / n.
 * `surprisals` are those of the calibration records, in time order.
 */
export function pValueDesignEffect(surprisals: Float64Array, block: number): number {
  const n = surprisals.length
  const blocks: Float64Array[] = []
  const sorted = surprisals.slice().sort()
  for (let start = 0; start + block <= n; start += block) {
    const counts = new Float64Array(P_BINS)
    for (const surprisal of surprisals.subarray(start, start + block))
      counts[Math.min(P_BINS - 1, Math.floor((lowerBound(sorted, surprisal) / n) * P_BINS))]++
    blocks.push(counts)
  }
  const uniform = new Array<number>(P_BINS).fill(1 / P_BINS)
  return designEffectOf(blocks, uniform, block) * (1 + block / n)
}

export function binCount(binning: Binning): number {
  return binning.kind === 'numeric' ? binning.edges.length + 2 : binning.levels.length + 2
}

/** Calls `see` with the bin of each row. */
export function eachBin(binning: Binning, column: Column, rows: number, see: (bin: number) => void): void {
  const missing = binCount(binning) - 1
  if (binning.kind === 'category') {
    const index = new Map(binning.levels.map((level, i) => [level, i]))
    const bin = (value: unknown): number =>
      value === null ? missing : (index.get(String(value)) ?? missing - 1)
    if (column.kind === 'string') {
      const bins = column.dictionary.map(bin)
      for (let i = 0; i < rows; i++) see(isValid(column.validity, i) ? bins[column.codes[i]] : missing)
    } else for (let i = 0; i < rows; i++) see(bin(cell(column, i)))
    return
  }
  for (let i = 0; i < rows; i++) {
    const value = numberAt(column, i)
    see(Number.isNaN(value) ? missing : lowerBound(binning.edges, value))
  }
}

function binningOf(columns: readonly (readonly [Column, number])[]): Binning | undefined {
  const kinds = new Set(columns.map(([column]) => column.kind))
  // Time always moves on: its drift says nothing.
  if (kinds.has('timestamp') || kinds.size === 0) return undefined
  if (kinds.size === 1 && kinds.has('number')) return numericBinning(columns)
  const counts = new Map<string, number>()
  for (const [column, rows] of columns) {
    for (let i = 0; i < rows; i++) {
      const value = cell(column, i)
      if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
    }
  }
  const levels = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([level]) => level)
  return { kind: 'category', levels: levels.slice(0, MAX_LEVELS) }
}

function numericBinning(columns: readonly (readonly [Column, number])[]): Binning {
  const values: number[] = []
  for (const [column, rows] of columns) {
    for (let i = 0; i < rows; i++) {
      const value = numberAt(column, i)
      if (!Number.isNaN(value)) values.push(value)
    }
  }
  const sorted = Float64Array.from(values).sort()
  const quantiles = Array.from(
    { length: BINS - 1 },
    (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / BINS)],
  )
  return { kind: 'numeric', edges: [...new Set(quantiles.filter((edge) => edge !== undefined))] }
}

function sharesOf(
  binning: Binning,
  columns: readonly (readonly [Column, number])[],
  block: number,
): Pick<FieldReference, 'shares' | 'designEffect'> {
  const bins = binCount(binning)
  const total = new Float64Array(bins)
  const blocks: Float64Array[] = []
  let current = new Float64Array(bins)
  let filled = 0
  for (const [column, rows] of columns) {
    eachBin(binning, column, rows, (bin) => {
      total[bin]++
      current[bin]++
      if (++filled === block) {
        blocks.push(current)
        current = new Float64Array(bins)
        filled = 0
      }
    })
  }
  const n = total.reduce((a, b) => a + b, 0)
  // Half a record in each bin (Jeffreys), so that a level never seen is improbable, not impossible.
  const shares = [...total].map((count) => (count + 0.5) / (n + 0.5 * bins))
  return { shares, designEffect: designEffectOf(blocks, shares, block) }
}

/** Mean over blocks of Pearson's χ² ÷ its degrees of freedom: 1 for independent records (Kish 1965, deff). */
function designEffectOf(blocks: readonly Float64Array[], shares: readonly number[], block: number): number {
  if (blocks.length < 2) return 1
  const degrees = shares.length - 1
  let sum = 0
  for (const counts of blocks) {
    for (let i = 0; i < shares.length; i++) sum += (counts[i] - block * shares[i]) ** 2 / (block * shares[i])
  }
  return Math.max(1, sum / (blocks.length * degrees))
}

function numberAt(column: Column, row: number): number {
  const value = cell(column, row)
  return typeof value === 'number' ? value : Number.NaN
}

/** The first i with value ≤ edges[i], edges.length if there is none. */
function lowerBound(edges: ArrayLike<number>, value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}
