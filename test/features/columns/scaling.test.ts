import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logSlope, quantile, robustScaling, tame, untame } from '../../../src/features/columns/scaling.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const unit = { centre: 0, scale: 1 }

describe('the tail-taming transform', () => {
  it('is finite, monotone and odd for every finite number and scale', () => {
    const scale = fc.oneof(
      fc.constantFrom(5e-324, 1e308, 1),
      fc.double({ min: 5e-324, max: 1e308, noNaN: true }),
    )
    fc.assert(
      fc.property(finite, finite, finite, scale, (a, b, centre, s) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        const scaling = { centre, scale: s }
        expect(Number.isFinite(tame(low, scaling))).toBe(true)
        expect(tame(low, scaling)).toBeLessThanOrEqual(tame(high, scaling))
        expect(tame(-a, unit)).toBe(-tame(a, unit))
      }),
    )
  })

  it('has the slope that logSlope says, continuous at the joint', () => {
    for (const v of [-40, -3.0001, -2.9999, 0, 2.5, 2.9999, 3.0001, 7, 1e4]) {
      const h = 1e-6 * Math.max(1, Math.abs(v))
      const slope = (tame(v + h, unit) - tame(v - h, unit)) / (2 * h)
      expect(Math.log(slope)).toBeCloseTo(logSlope(tame(v, unit)), 3)
    }
  })

  it('is undone by untame', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (x) => {
        const scaling = { centre: 12, scale: 0.5 }
        expect(Math.abs(untame(tame(x, scaling), scaling) - x)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(x)))
      }),
    )
    expect(untame(5000, unit)).toBe(Number.MAX_VALUE)
  })
})

describe('robust scaling', () => {
  it('is the median and the IQR in standard deviations', () => {
    const sorted = Float64Array.from({ length: 101 }, (_, i) => i)
    expect(robustScaling(sorted)).toEqual({ centre: 50, scale: 50 / 1.349 })
    expect(quantile(sorted, 0.333)).toBeCloseTo(33.3, 10)
  })

  it('falls back to a wider range, the deviation, then 1', () => {
    const ones = new Float64Array(100).fill(1)
    expect(robustScaling(ones)).toEqual({ centre: 1, scale: 1 })
    expect(
      robustScaling(Float64Array.from([...ones.slice(0, 90), 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])).scale,
    ).toBeCloseTo(1 / 3.29)
    expect(robustScaling(Float64Array.from([...ones.slice(0, 99), 11])).scale).toBeCloseTo(Math.sqrt(0.99))
    expect(robustScaling(new Float64Array(0))).toEqual({ centre: 0, scale: 1 })
  })

  it('never overflows', () => {
    const { centre, scale } = robustScaling(Float64Array.from([-1.7e308, -1.7e308, 1.7e308, 1.7e308]))
    expect(Number.isFinite(centre) && Number.isFinite(scale)).toBe(true)
  })
})
