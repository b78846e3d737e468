import { describe, expect, it } from 'vitest'
import { sketchLines, summariseLine } from '../../src/detect/line.ts'

type LogDensity = (u: number) => number
const gaussian =
  (mean: number, sd: number): LogDensity =>
  (u) =>
    -((u - mean) ** 2) / (2 * sd * sd)
const mixture =
  (a: LogDensity, b: LogDensity): LogDensity =>
  (u) =>
    Math.log(Math.exp(a(u)) + Math.exp(b(u)))

function summary(density: LogDensity, actual: number) {
  const evaluate = (points: readonly Float64Array[]) => points.map((p) => p.map(density))
  const [line] = sketchLines(Float64Array.of(actual), evaluate)
  return { ...summariseLine(line, actual), evaluated: line.points.length }
}

describe('a line', () => {
  it.each([
    ['wide', 0.3, 1.1],
    ['narrow', 1.37, 0.05],
    ['very narrow', -2.2, 0.01],
    ['far out', 6.1, 0.3],
  ])('finds mass, median and 95 %% range of a Gaussian: %s', (_, mean, sd) => {
    const { logMass, median, low, high, mode, evaluated } = summary(gaussian(mean, sd), mean)
    expect(logMass).toBeCloseTo(Math.log(sd * Math.sqrt(2 * Math.PI)), 1)
    expect(Math.abs(median - mean)).toBeLessThan(0.3 * sd)
    expect(Math.abs(mode - mean)).toBeLessThan(0.3 * sd)
    expect(Math.abs(low - (mean - 1.96 * sd))).toBeLessThan(0.4 * sd)
    expect(Math.abs(high - (mean + 1.96 * sd))).toBeLessThan(0.4 * sd)
    expect(evaluated).toBeLessThan(150)
  })

  it.each([
    [0, 0, 0.15],
    [1, -1.148, 0.2],
    [2, -3.09, 0.3],
    [4, -9.67, 0.8],
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

  it('calls the valley between two modes surprising, not the smaller mode', () => {
    const two = mixture(gaussian(-2, 0.3), (u) => gaussian(2, 0.3)(u) - 1)
    expect(summary(two, 0).logP).toBeLessThan(-8)
    expect(summary(two, 2).logP).toBeGreaterThan(-1.5)
  })
})
