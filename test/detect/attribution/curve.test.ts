import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Curve } from '../../../src/detect/attribution/curve.ts'
import { logDensityAt } from '../../../src/detect/attribution/line.ts'

const POINTS = Float64Array.of(-10, -5, -2.4, -1.2, -0.6, 0, 0.6, 1.2, 2.4, 5, 10)

describe('a curve', () => {
  it('is a Gaussian where the density is one, and is sure after it was asked', () => {
    const gaussian = (u: number) => -((u - 0.41) ** 2) / (2 * 0.2 ** 2)
    const curve = new Curve(POINTS, POINTS.map(gaussian))
    const asked = curve.questions()
    expect(asked.length).toBeGreaterThan(0)
    curve.learn(asked, asked.map(gaussian))
    expect(curve.questions().length).toBe(0)
    const line = curve.line()
    for (let u = 0; u < 0.8; u += 0.01)
      expect(Math.abs(logDensityAt(line, u) - gaussian(u))).toBeLessThan(0.1)
  })

  it('asks nothing about a density that its chords follow', () => {
    const flat = new Curve(
      POINTS,
      POINTS.map((u) => -Math.abs(u)),
    )
    expect(flat.questions().length).toBeLessThan(4)
  })

  it('passes through every point, ascending, and leaves the range of its ends by little', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 0, noNaN: true }), {
      minLength: POINTS.length,
      maxLength: POINTS.length,
    })
    fc.assert(
      fc.property(values, (all) => {
        const { points, logDensity } = new Curve(POINTS, Float64Array.from(all)).line()
        expect(points.every((u, i) => i === 0 || u > points[i - 1])).toBe(true)
        expect(Math.max(...logDensity)).toBeLessThanOrEqual(Math.max(...all) + 0.3)
        for (const [i, u] of POINTS.entries()) expect(logDensity[points.indexOf(u)]).toBe(all[i])
      }),
    )
  })
})
