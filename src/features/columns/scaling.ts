/** v = (x − centre) / scale: one column's robust units. */
export interface Scaling {
  readonly centre: number
  readonly scale: number
}

/** |v| up to which the tail-taming transform is the identity. */
export const BULK = 3

/**
 * u = T(v) for x: T(v) = v where |v| ≤ a = BULK, else sign(v) · (a + log(1 + |v| − a)). Strictly monotone, C¹, odd.
 * Finite for every finite x, also where v itself overflows.
 */
export function tame(x: number, { centre, scale }: Scaling): number {
  const v = (x - centre) / scale
  const size = Math.abs(v)
  if (size <= BULK) return v
  const excess =
    size === Number.POSITIVE_INFINITY
      ? Math.log(Math.abs(x / 2 - centre / 2)) + Math.LN2 - Math.log(scale)
      : Math.log1p(size - BULK)
  return x < centre ? -BULK - excess : BULK + excess
}

/** log|dT/dv| as a function of u = T(v): 0 in the bulk, a − |u| in the tails. */
export function logSlope(u: number): number {
  return Math.min(0, BULK - Math.abs(u))
}

/** x with T((x − centre) / scale) = u, held inside the finite numbers. */
export function untame(u: number, { centre, scale }: Scaling): number {
  const size = Math.abs(u)
  const v = size <= BULK ? u : Math.sign(u) * (BULK + Math.expm1(size - BULK))
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, centre + v * scale))
}

/** The q-quantile of ascending values, linearly interpolated (Hyndman and Fan 1996, type 7), overflow-safe. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  const share = at - low
  return share === 0 ? sorted[low] : sorted[low] * (1 - share) + sorted[low + 1] * share
}

/**
 * Median and IQR / 1.349 (the standard deviation of a normal) of ascending values. Where the IQR is 0: the central
 * 90 % range / 3.29, then the standard deviation, then 1.
 */
export function robustScaling(sorted: Float64Array): Scaling {
  if (sorted.length === 0) return { centre: 0, scale: 1 }
  const spread = (tail: number, normal: number): number =>
    Math.min(Number.MAX_VALUE, (quantile(sorted, 1 - tail) / 2 - quantile(sorted, tail) / 2) / (normal / 2))
  const centre = quantile(sorted, 0.5)
  return { centre, scale: spread(0.25, 1.349) || spread(0.05, 3.29) || deviation(sorted, centre) || 1 }
}

function deviation(sorted: Float64Array, centre: number): number {
  const reach = Math.max(centre / 2 - sorted[0] / 2, sorted[sorted.length - 1] / 2 - centre / 2)
  if (!(reach > 0)) return 0
  let mean = 0
  let square = 0
  for (const x of sorted) {
    const d = (x / 2 - centre / 2) / reach
    mean += d / sorted.length
    square += (d * d) / sorted.length
  }
  return Math.min(Number.MAX_VALUE, 2 * reach * Math.sqrt(Math.max(0, square - mean * mean)))
}
