/**
 * The generalised Pareto tail of a calibration: above `threshold` the survival of the surprisal is
 *   p(s) = mass · (1 + shape · (s − threshold) / scale)^(−1 / shape)      (mass · exp(−(s − threshold) / scale) at 0)
 * down to mass / (2 · exceedances), the end of what the exceedances say. From there on it falls exponentially at the
 * hazard it has there, so that it stays positive and strictly monotone where a negative shape would end its support.
 */
export interface TailState {
  readonly threshold: number
  readonly mass: number
  readonly shape: number
  readonly scale: number
  readonly exceedances: number
}

const SHRINKAGE = 30
const MAX_SHAPE = 0.45

/**
 * Fits shape and scale to the excesses over the threshold (ascending, ≥ 0) by probability-weighted moments
 * (Hosking and Wallis 1987): with b₀ the mean and b₁ = mean of x₍ᵢ₎ · (k − i) / (k − 1), shape = 2 − b₀ / (b₀ − 2 b₁),
 * shrunk by k / (k + 30) towards 0, an exponential tail, for few excesses say little about it; scale = b₀ · (1 − shape).
 * `fallbackScale` stands in where every excess is 0.
 */
export function fitTail(
  excesses: ArrayLike<number>,
  threshold: number,
  mass: number,
  fallbackScale: number,
): TailState {
  const k = excesses.length
  let b0 = 0
  let b1 = 0
  for (let i = 0; i < k; i++) {
    b0 += excesses[i] / k
    if (k > 1) b1 += (excesses[i] * (k - 1 - i)) / (k - 1) / k
  }
  const raw = b0 > 2 * b1 ? ((2 - b0 / (b0 - 2 * b1)) * k) / (k + SHRINKAGE) : 0
  const shape = Math.max(-MAX_SHAPE, Math.min(MAX_SHAPE, raw))
  const scale = b0 * (1 - shape)
  return { threshold, mass, shape, scale: scale > 0 ? scale : fallbackScale, exceedances: Math.max(1, k) }
}

/** ln p(s) for s ≥ threshold. */
export function logTail(tail: TailState, s: number): number {
  const { threshold, mass, shape, scale, exceedances } = tail
  const x = (s - threshold) / scale
  const logEnd = -Math.log(2 * exceedances)
  const end = Math.abs(shape) < 1e-6 ? -logEnd : Math.expm1(-shape * logEnd) / shape
  if (x > end) return Math.log(mass) + logEnd - (x - end) / (1 + shape * end)
  return Math.log(mass) - (Math.abs(shape) < 1e-6 ? x : Math.log1p(shape * x) / shape)
}
