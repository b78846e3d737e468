/**
 * A one-dimensional density known only at points: how surprising one coordinate is given all others. Between points
 * its logarithm is linear, beyond the outermost it falls exponentially.
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
  /** The central 95 %. */
  readonly low: number
  readonly high: number
}

/** Slope of the tails beyond the outermost points, at least. */
const LEAST_SLOPE = 1

/** Density of the line at `actual`, one of its points, against its distribution. */
export function summariseLine(line: Line, actual: number): LineSummary {
  const { points, logDensity } = line
  const peak = peakOf(logDensity)
  const masses = cellMasses(line, peak)
  const [left, right] = tailSlopes(line)
  const last = points.length - 1
  const tails = Math.exp(logDensity[0] - peak) / left + Math.exp(logDensity[last] - peak) / right
  const total = tails + masses.reduce((sum, m) => sum + m, 0)
  const own = logDensity[nearest(points, actual)]
  const before = Math.exp(logDensity[0] - peak) / left
  const at = (q: number) => quantile(line, masses, q * total - before)
  return {
    logP: Math.min(0, own + Math.log(rarerMass(line, own, left, right)) - peak - Math.log(total)),
    logMass: Math.log(total) + peak,
    median: at(0.5),
    low: at(0.025),
    high: at(0.975),
  }
}

/** ln of the density at a point, as it is integrated: straight between points and beyond the outermost. */
export function logDensityAt(line: Line, u: number): number {
  const { points, logDensity } = line
  const last = points.length - 1
  const [left, right] = tailSlopes(line)
  if (u <= points[0]) return logDensity[0] - left * (points[0] - u)
  if (u >= points[last]) return logDensity[last] - right * (u - points[last])
  const after = points.findIndex((point) => point > u)
  const share = (u - points[after - 1]) / (points[after] - points[after - 1])
  return logDensity[after - 1] + share * (logDensity[after] - logDensity[after - 1])
}

/** ∫ density over each cell, relative to e^peak. */
function cellMasses({ points, logDensity }: Line, peak: number): Float64Array {
  const masses = new Float64Array(points.length - 1)
  for (let i = 0; i < masses.length; i++)
    masses[i] = (points[i + 1] - points[i]) * meanExp(logDensity[i] - peak, logDensity[i + 1] - peak)
  return masses
}

/** ∫ of the density where it is at most e^own, relative to e^own: nothing underflows. */
function rarerMass({ points, logDensity }: Line, own: number, left: number, right: number): number {
  const last = points.length - 1
  let sum = Math.exp(Math.min(0, logDensity[0] - own)) / left
  sum += Math.exp(Math.min(0, logDensity[last] - own)) / right
  for (let i = 0; i < last; i++) {
    const lower = Math.min(logDensity[i], logDensity[i + 1]) - own
    const upper = Math.max(logDensity[i], logDensity[i + 1]) - own
    if (lower > 0) continue
    const part = upper > 0 ? lower / (lower - upper) : 1
    sum += part * (points[i + 1] - points[i]) * meanExp(lower, Math.min(0, upper))
  }
  return sum
}

/** Mean of exp over a straight piece from a to b. */
export function meanExp(a: number, b: number): number {
  const d = b - a
  return Math.abs(d) < 1e-6 ? Math.exp((a + b) / 2) : (Math.exp(b) - Math.exp(a)) / d
}

/** How fast the density falls beyond the first and the last point. */
function tailSlopes({ points, logDensity }: Line): readonly [number, number] {
  const last = points.length - 1
  const left = (logDensity[1] - logDensity[0]) / (points[1] - points[0])
  const right = (logDensity[last - 1] - logDensity[last]) / (points[last] - points[last - 1])
  return [Math.max(LEAST_SLOPE, left), Math.max(LEAST_SLOPE, right)]
}

/** Where the cumulative mass from the first point on reaches `mass`. */
function quantile({ points, logDensity }: Line, masses: Float64Array, mass: number): number {
  let rest = mass
  if (rest <= 0) return points[0]
  for (let i = 0; i < masses.length; i++) {
    if (rest <= masses[i]) {
      const share = rest / masses[i]
      const rise = logDensity[i + 1] - logDensity[i]
      const width = points[i + 1] - points[i]
      return rise > 0
        ? points[i + 1] - width * along(1 - share, -rise)
        : points[i] + width * along(share, rise)
    }
    rest -= masses[i]
  }
  return points[points.length - 1]
}

/** Where, 0 … 1, the mass of a piece that falls by −rise ≥ 0 nats reaches the share. */
function along(share: number, rise: number): number {
  return rise > -1e-6 ? share : Math.log1p(share * Math.expm1(rise)) / rise
}

function peakOf(logDensity: Float64Array): number {
  let peak = Number.NEGATIVE_INFINITY
  for (const d of logDensity) if (d > peak) peak = d
  return peak
}

function nearest(points: Float64Array, x: number): number {
  let best = 0
  for (let i = 1; i < points.length; i++) {
    if (Math.abs(points[i] - x) < Math.abs(points[best] - x)) best = i
  }
  return best
}
