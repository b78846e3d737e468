const EPSILON = { single: 2 ** -23, double: 2 ** -52 }
/** A grid finer than this share of the range is no different from a continuum. */
const FINEST = 1e-6
/** With fewer distinct values a common divisor may be chance. */
const FEWEST = 12
/** A remainder counts only if it is this many times smaller than the step. */
const CLEAR = 16

/**
 * The step of the grid that ascending distinct values lie on: the greatest common divisor of their gaps, smallest gap
 * first, by Euclid's algorithm with a tolerance of the values' own rounding; 0 where there is none. Works in any unit:
 * whole miles in kilometres have the step 1.609344.
 */
export function stepOf(distinct: Float64Array, single: boolean): number {
  const n = distinct.length
  const range = distinct[n - 1] - distinct[0]
  if (n < FEWEST || !Number.isFinite(range)) return 0
  const rounding =
    4 *
    (single ? EPSILON.single : EPSILON.double) *
    Math.max(Math.abs(distinct[0]), Math.abs(distinct[n - 1]))
  const finest = Math.max(range * FINEST, 4 * CLEAR * rounding)
  const gaps = Float64Array.from({ length: n - 1 }, (_, i) => distinct[i + 1] - distinct[i]).sort()
  let length = gaps[0]
  let multiples = 1
  for (let i = 1; i < gaps.length; i++) {
    const step = length / multiples
    const times = Math.round(gaps[i] / step)
    const rest = Math.abs(gaps[i] - times * step)
    const tolerance = 2 * rounding * (1 + times / multiples)
    if (step < finest || tolerance > step / CLEAR) return 0
    if (rest > tolerance) {
      multiples *= Math.round(step / divisor(step, rest, tolerance))
      i--
    } else {
      length += gaps[i]
      multiples += times
    }
  }
  return length / multiples < finest ? 0 : rounded(length / multiples, single)
}

/** x lies clearly between two points of the grid, by more than the rounding of either. */
export function isOffGrid(
  x: number,
  { step, origin }: { readonly step: number; readonly origin: number },
): boolean {
  const at = (x - origin) / step
  const beside = Math.abs(at - Math.round(at))
  return beside > 0.01 && beside * step > 1e-7 * Math.abs(x)
}

function divisor(large: number, small: number, tolerance: number): number {
  while (small > tolerance) {
    const rest = Math.abs(large - small * Math.round(large / small))
    large = small
    small = rest
  }
  return large
}

/** Fewer digits than the type holds hide the rounding of the values and keep any real unit. */
function rounded(step: number, single: boolean): number {
  return Number(step.toPrecision(single ? 5 : 11))
}
