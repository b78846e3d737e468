/**
 * P(χ²_k ≥ x) by Wilson and Hilferty's cube root (1931): (χ²/k)^⅓ is nearly normal with mean 1 − 2/(9k) and
 * variance 2/(9k). Good to some per cent of p far into the tail, which is all that a trigger level needs.
 */
export function chiSquareTail(x: number, degrees: number): number {
  if (degrees < 1 || !(x > 0)) return 1
  const variance = 2 / (9 * degrees)
  return normalTail((Math.cbrt(x / degrees) - (1 - variance)) / Math.sqrt(variance))
}

/** P(Z ≥ z) for a standard normal Z: the Taylor series of Φ up to 3, beyond it the continued fraction of Mills’ ratio. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z)
  if (z > 38) return 0
  if (z > 3) {
    let fraction = 0
    for (let k = 60; k > 0; k--) fraction = k / (z + fraction)
    return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI) / (z + fraction)
  }
  let term = z
  let sum = z
  for (let k = 1; k < 60; k++) {
    term *= (z * z) / (2 * k + 1)
    sum += term
  }
  return 0.5 - (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI)
}
