import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { summariseLine } from '../../../src/detect/attribution/line.ts'
import { sketchLines } from '../../../src/detect/attribution/sketch.ts'

type LogDensity = (u: number) => number
const gaussian =
  (mean: number, sd: number): LogDensity =>
  (u) =>
    -((u - mean) ** 2) / (2 * sd * sd)
const mixture =
  (a: LogDensity, b: LogDensity): LogDensity =>
  (u) =>
    Math.max(a(u), b(u)) + Math.log1p(Math.exp(-Math.abs(a(u) - b(u))))

function summary(density: LogDensity, actual: number) {
  let evaluated = 0
  const evaluate = (points: readonly Float64Array[]) =>
    points.map((p) => {
      evaluated += p.length
      return p.map(density)
    })
  const [line] = sketchLines(Float64Array.of(actual), evaluate)
  return { ...summariseLine(line, actual), evaluated }
}

describe('a line', () => {
  it.each([
    ['wide', 0.3, 1.1],
    ['narrow', 1.37, 0.05],
    ['very narrow', -2.2, 0.01],
    ['far out', 6.1, 0.3],
  ])('finds mass, median and 95 %% range of a Gaussian: %s', (_, mean, sd) => {
    const { logMass, median, low, high, evaluated } = summary(gaussian(mean, sd), mean)
    expect(logMass).toBeCloseTo(Math.log(sd * Math.sqrt(2 * Math.PI)), 1)
    expect(Math.abs(median - mean)).toBeLessThan(0.05 * sd)
    expect(Math.abs(low - (mean - 1.96 * sd))).toBeLessThan(0.1 * sd)
    expect(Math.abs(high - (mean + 1.96 * sd))).toBeLessThan(0.1 * sd)
    expect(evaluated).toBeLessThan(30)
  })

  it.each([
    [0, 0, 0.02],
    [1, -1.148, 0.05],
    [2, -3.09, 0.1],
    [4, -9.67, 0.2],
  ])('says how improbable a point %s standard deviations out is', (z, logP, tolerance) => {
    for (const [mean, sd] of [
      [0.2, 1],
      [1, 0.1],
    ]) {
      expect(Math.abs(summary(gaussian(mean, sd), mean + z * sd).logP - logP)).toBeLessThan(tolerance)
    }
  })

  it('keeps growing where the probability underflows', () => {
    const near = summary(gaussian(0, 0.1), 4).logP
    const far = summary(gaussian(0, 0.1), 8).logP
    expect(near).toBeLessThan(-700)
    expect(far).toBeLessThan(near)
    expect(Number.isFinite(far)).toBe(true)
  })

  it('is not misled by cliffs', () => {
    const cliffs = fc.record({
      low: fc.double({ min: -4, max: -0.8, noNaN: true }),
      high: fc.double({ min: 0.8, max: 4, noNaN: true }),
      steep: fc.constantFrom(3, 10, 100, 1000, 1e5),
    })
    fc.assert(
      fc.property(cliffs, ({ low, high, steep }) => {
        const density: LogDensity = (u) => -steep * (Math.max(0, low - u) + Math.max(0, u - high))
        const { logMass, median, evaluated } = summary(density, 0)
        expect(Math.abs(logMass - Math.log(high - low + 2 / steep))).toBeLessThan(0.2)
        expect(Math.abs(median - (low + high) / 2)).toBeLessThan(0.1 * (high - low))
        expect(evaluated).toBeLessThan(40)
      }),
      { numRuns: 300 },
    )
  })

  it('calls the valley between two modes surprising, not the smaller mode', () => {
    const two = mixture(gaussian(-2, 0.3), (u) => gaussian(2, 0.3)(u) - 1)
    expect(summary(two, 0).logP).toBeLessThan(-8)
    expect(summary(two, 2).logP).toBeGreaterThan(-1.5)
  })

  it('agrees with a fine grid to 0.3 nats, however many modes there are and wherever the point is', () => {
    const part = fc.record({
      mean: fc.double({ min: -3, max: 3, noNaN: true }),
      sd: fc.double({ min: 0.1, max: 2, noNaN: true }),
    })
    fc.assert(
      fc.property(part, part, fc.double({ min: -5, max: 5, noNaN: true }), (a, b, actual) => {
        const density = mixture(gaussian(a.mean, a.sd), gaussian(b.mean, b.sd))
        const [fine, own] = [fineLogP(density, density(actual)), summary(density, actual)]
        expect(Math.abs(own.logP - fine)).toBeLessThan(0.3 + 0.05 * Math.abs(fine))
        expect(own.evaluated).toBeLessThan(60)
      }),
      { numRuns: 300 },
    )
  })
})

/** ln P(density ≤ level), by the midpoints of 12,000 cells. */
function fineLogP(density: LogDensity, level: number): number {
  const grid = Array.from({ length: 12_000 }, (_, i) => density(-12 + (i + 0.5) / 500))
  const rarer = grid.reduce((sum, d) => sum + (d <= level ? Math.exp(d - level) : 0), 0)
  const peak = Math.max(...grid)
  const total = grid.reduce((sum, d) => sum + Math.exp(d - peak), 0)
  return Math.min(0, Math.log(rarer) + level - peak - Math.log(total))
}
