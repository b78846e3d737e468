/**
 * A one-dimensional density known only at points: how surprising one coordinate is given all others. The density is
 * evaluated on a coarse grid, then on finer ones where its mass turned out to lie; between points it is linear.
 */
export interface Line {
  /** Ascending. */
  readonly points: Float64Array
  /** ln of the density up to a constant. */
  readonly logDensity: Float64Array
}

export interface LineSummary {
  /** ln P(density(X) ≤ density at the given point), at most 0. */
  readonly logP: number
  /** ln ∫ density. */
  readonly logMass: number
  readonly median: number
  readonly mode: number
  /** The central 95 %. */
  readonly low: number
  readonly high: number
}

/** Evaluates several lines at once: one ascending list of points each, one list of log densities back. */
export type EvaluateLines = (points: readonly Float64Array[]) => readonly Float64Array[]

const NEGLIGIBLE = 14
const COARSE = coarseGrid()
const FINE = 48
const ROUNDS = 2
/** A mass on fewer cells than this is looked at more closely once more. */
const ENOUGH_CELLS = 12

/**
 * 41 points over the encoded coordinate: dense in the bulk (|u| ≤ 3, robust standard deviations), then ever wider
 * along the logarithmic tails.
 */
function coarseGrid(): Float64Array {
  const half = [
    0.15, 0.4, 0.65, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.75, 3.1, 3.5, 4, 4.6, 5.4, 6.4, 7.6, 9, 11, 13,
  ]
  return Float64Array.from([...half.map((u) => -u).reverse(), 0, ...half])
}

/** Sketches the densities around their mass; `actual[j]` is one of the points of line j. */
export function sketchLines(actual: Float64Array, evaluate: EvaluateLines): Line[] {
  let points = Array.from(actual, (u) => merged(COARSE, [u]))
  let lines = evaluate(points).map((logDensity, j): Line => ({ points: points[j], logDensity }))
  for (let round = 0; round < ROUNDS; round++) {
    points = lines.map((line) => refinement(line))
    if (points.every((p) => p.length === 0)) break
    const finer = evaluate(points)
    lines = lines.map((line, j) => (points[j].length === 0 ? line : joined(line, points[j], finer[j])))
  }
  return lines
}

/** New points over the cells that hold mass; none where they are many already. */
function refinement({ points, logDensity }: Line): Float64Array {
  const peak = logDensity.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  let first = logDensity.findIndex((d) => d > peak - NEGLIGIBLE)
  let last = logDensity.findLastIndex((d) => d > peak - NEGLIGIBLE)
  if (first < 0 || last - first >= FINE + ENOUGH_CELLS) return new Float64Array(0)
  const heavy = logDensity.subarray(first, last + 1).reduce((sum, d) => sum + (d > peak - 3 ? 1 : 0), 0)
  if (heavy >= ENOUGH_CELLS && last - first >= FINE / 2) return new Float64Array(0)
  first = Math.max(0, first - 1)
  last = Math.min(points.length - 1, last + 1)
  const [from, to] = [points[first], points[last]]
  return Float64Array.from({ length: FINE }, (_, i) => from + ((to - from) * (i + 0.5)) / FINE)
}

/** Density of the line at `actual` against its distribution. Points far apart count by the width of their cell. */
export function summariseLine({ points, logDensity }: Line, actual: number): LineSummary {
  const n = points.length
  let peak = 0
  for (let i = 1; i < n; i++) if (logDensity[i] > logDensity[peak]) peak = i
  const mass = new Float64Array(n)
  let total = 0
  for (let i = 0; i < n; i++) {
    const width = (points[Math.min(i + 1, n - 1)] - points[Math.max(i - 1, 0)]) / 2
    mass[i] = width * Math.exp(logDensity[i] - logDensity[peak])
    total += mass[i]
  }
  const own = nearest(points, actual)
  let rarer = 0
  let cumulative = 0
  const quantiles = [0.025, 0.5, 0.975]
  const at: number[] = []
  for (let i = 0; i < n; i++) {
    if (logDensity[i] <= logDensity[own]) rarer += mass[i]
    cumulative += mass[i] / total
    while (at.length < 3 && cumulative >= quantiles[at.length]) at.push(points[i])
  }
  const [low, median, high] = [at[0] ?? points[n - 1], at[1] ?? points[n - 1], at[2] ?? points[n - 1]]
  const width = (points[Math.min(own + 1, n - 1)] - points[Math.max(own - 1, 0)]) / 2
  const underflow = Math.log(width) + logDensity[own] - logDensity[peak] - Math.log(total)
  return {
    logP: Math.min(0, rarer > 0 ? Math.log(rarer / total) : underflow),
    logMass: Math.log(total) + logDensity[peak],
    median,
    mode: points[peak],
    low,
    high,
  }
}

function nearest(points: Float64Array, x: number): number {
  let best = 0
  for (let i = 1; i < points.length; i++) {
    if (Math.abs(points[i] - x) < Math.abs(points[best] - x)) best = i
  }
  return best
}

function merged(a: Float64Array, b: readonly number[]): Float64Array {
  return Float64Array.from(new Set([...a, ...b])).sort()
}

function joined(line: Line, points: Float64Array, logDensity: Float64Array): Line {
  const order = [...line.points.keys()].concat(Array.from(points.keys(), (i) => i + line.points.length))
  const all = Float64Array.from([...line.points, ...points])
  const values = Float64Array.from([...line.logDensity, ...logDensity])
  order.sort((a, b) => all[a] - all[b])
  const kept = order.filter((at, i) => i === 0 || all[at] !== all[order[i - 1]])
  return {
    points: Float64Array.from(kept, (i) => all[i]),
    logDensity: Float64Array.from(kept, (i) => values[i]),
  }
}
