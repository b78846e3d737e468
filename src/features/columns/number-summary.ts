import { countValues, findAtoms } from './atoms.ts'
import { type Fringe, fringeOf } from './fringe.ts'
import { isOffGrid, stepOf } from './quantisation.ts'
import { quantile, robustScaling, type Scaling } from './scaling.ts'

export interface Quantiles {
  readonly min: number
  readonly p01: number
  readonly p05: number
  readonly p25: number
  readonly p50: number
  readonly p75: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** A number column in brief: everything its encoder needs. */
export interface NumberSummary extends Scaling {
  /** Exact values that hold heaps of records; the scaling and the step leave them out. */
  readonly atoms: readonly number[]
  /** Step of the grid that the values lie on; 0 if they are continuous. */
  readonly step: number
  /** A point of that grid. */
  readonly origin: number
  /** Every value is on the grid, so that one beside it is news. */
  readonly gridKept: boolean
  readonly quantiles: Quantiles | null
  /** null where there are hardly any values. */
  readonly fringe: Fringe | null
}

/** Summarises a sample; NaN entries are no values. `single`: the values were float32. */
export function summarise(
  sample: Float64Array,
  { single, atoms: withAtoms = true }: { single: boolean; atoms?: boolean },
): NumberSummary {
  const sorted = sample.filter((x) => !Number.isNaN(x)).sort()
  if (sorted.length === 0)
    return {
      atoms: [],
      step: 0,
      origin: 0,
      gridKept: false,
      centre: 0,
      scale: 1,
      quantiles: null,
      fringe: null,
    }
  const counted = countValues(sorted)
  const atoms = withAtoms ? findAtoms(counted) : []
  const bulk = atoms.length === 0 ? sorted : sorted.filter((x) => !atoms.includes(x))
  const distinct = atoms.length === 0 ? counted.values : counted.values.filter((x) => !atoms.includes(x))
  const step = stepOf(distinct, single) || (bulk.every(Number.isInteger) ? 1 : 0)
  const origin = distinct[0] ?? 0
  const scaling = robustScaling(bulk.length === 0 ? sorted : bulk)
  return {
    atoms,
    step,
    origin,
    gridKept: step > 0 && distinct.every((x) => !isOffGrid(x, { step, origin })),
    ...scaling,
    fringe: fringeOf(sorted, { ...scaling, step }),
    quantiles: {
      min: sorted[0],
      p01: quantile(sorted, 0.01),
      p05: quantile(sorted, 0.05),
      p25: quantile(sorted, 0.25),
      p50: quantile(sorted, 0.5),
      p75: quantile(sorted, 0.75),
      p95: quantile(sorted, 0.95),
      p99: quantile(sorted, 0.99),
      max: sorted[sorted.length - 1],
    },
  }
}
