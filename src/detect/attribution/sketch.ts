import { Curve } from './curve.ts'
import type { Line } from './line.ts'

/** Evaluates several lines at once: an ascending list of points for each named line, its log densities back. */
export type EvaluateLines = (
  points: readonly Float64Array[],
  lines: readonly number[],
) => readonly Float64Array[]

/** Over the encoded coordinate, robust standard deviations: even in the bulk, then wider along the tails. */
const COARSE = Float64Array.of(-10, -5, -3.2, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3.2, 5, 10)
const ROUNDS = 5
/**
 * Sketches the densities around their mass. Between the points of a coarse grid the logarithm is taken as cubic, which
 * is exact for a Gaussian, and where mass lies by that curve the density is asked for: where it peaks, else
 * beside its end. Where the answer is what the curve said, the curve is believed. The lines that come back follow it.
 * `actual[j]` is one of the points of line j, and so are `hints[j]`: across a mass that the grid might miss.
 */
export function sketchLines(
  actual: Float64Array,
  evaluate: EvaluateLines,
  hints: readonly (readonly number[])[] = [],
): Line[] {
  let points: readonly Float64Array[] = Array.from(actual, (u, j) =>
    Float64Array.from(new Set([...COARSE, ...(hints[j] ?? []), u])).sort(),
  )
  let open = [...points.keys()]
  const curves = evaluate(points, open).map((values, j) => new Curve(points[j], values))
  for (let round = 0; round < ROUNDS; round++) {
    const asked = open.map((j) => curves[j].questions())
    open = open.filter((_, i) => asked[i].length > 0)
    points = asked.filter((own) => own.length > 0)
    if (open.length === 0) break
    const answers = evaluate(points, open)
    for (const [i, j] of open.entries()) curves[j].learn(points[i], answers[i])
  }
  return curves.map((curve) => curve.line())
}
