import { describe, expect, it } from 'vitest'
import { beyond, fringeOf } from '../../../src/features/columns/fringe.ts'

const unit = { centre: 0, scale: 1, step: 0 }
const ascending = (values: readonly number[]) => Float64Array.from(values).sort()

describe('fringe', () => {
  it('begins at the eighth outermost value and reaches as far as the eight do on average', () => {
    const values = ascending(Array.from({ length: 101 }, (_, i) => (i - 50) / 25))
    const { low, lowReach, high, highReach } = fringeOf(values, unit)!
    expect(high).toBeCloseTo(43 / 25, 12)
    expect(low).toBeCloseTo(-43 / 25, 12)
    expect(highReach).toBeCloseTo(3.5 / 25, 12)
    expect(lowReach).toBeCloseTo(highReach, 12)
  })

  it('says how many reaches a value lies beyond, and nothing inside or of what is missing', () => {
    const fringe = { low: -2, lowReach: 0.5, high: 3, highReach: 0.25 }
    expect([-2, 0, 3, Number.NaN].map((u) => beyond(u, fringe))).toEqual([0, 0, 0, 0])
    expect(beyond(4, fringe)).toBe(4)
    expect(beyond(-3, fringe)).toBe(2)
  })

  it('is as the values are, whatever their units', () => {
    const values = ascending(Array.from({ length: 300 }, (_, i) => Math.tan((i - 149.5) / 100)))
    const metres = fringeOf(values, { centre: 0, scale: 0.7, step: 0 })
    const feet = fringeOf(
      values.map((x) => x * 2 ** 3),
      { centre: 0, scale: 0.7 * 2 ** 3, step: 0 },
    )
    expect(feet).toEqual(metres)
  })

  it('keeps one odd value among many from setting the measure', () => {
    const usual = Array.from({ length: 1000 }, (_, i) => (i - 499.5) / 300)
    const { high } = fringeOf(ascending(usual), unit)!
    const spoilt = fringeOf(ascending([...usual, 1e9]), unit)!
    expect(spoilt.high).toBeCloseTo(high, 2)
    expect(beyond(3 + Math.log(1e9), spoilt)).toBeLessThan(10)
  })

  it('reaches at least one step of the grid, and 0.05 in units of the column', () => {
    const heap = new Float64Array(100).fill(4)
    expect(fringeOf(heap, { centre: 4, scale: 1, step: 1 })).toEqual({
      low: 0,
      lowReach: 1,
      high: 0,
      highReach: 1,
    })
    expect(fringeOf(heap, { centre: 4, scale: 1, step: 0 })!.highReach).toBe(0.05)
  })

  it('takes a quarter of few values, and has nothing to say of three', () => {
    expect(
      fringeOf(ascending([1, 2, 3, 4, 5, 6, 7, 8]), { centre: 4.5, scale: 3, step: 0 })!.high,
    ).toBeCloseTo(2.5 / 3, 12)
    expect(fringeOf(ascending([1, 2, 3]), unit)).toBeNull()
  })
})
