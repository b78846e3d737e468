import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { stepOf } from '../../../src/features/columns/quantisation.ts'

const ascending = (values: number[]): Float64Array => new Float64Array(new Set(values)).sort()

describe('stepOf', () => {
  it('finds the step of a grid in any unit, at any place', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 0.5, 0.25, 0.01, 100, 1.609344, 1 / 3, 1e-9, 60_000),
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 1, max: 1e6 }),
        (step, shift, seed) => {
          const r = random(seed)
          const values = Array.from({ length: 400 }, () => (shift + Math.round(100 * r.normal())) * step)
          expect(stepOf(ascending(values), false) / step).toBeCloseTo(1, 9)
        },
      ),
    )
  })

  it('finds cents in single precision', () => {
    const r = random(1)
    const cents = Array.from({ length: 2000 }, () => Math.fround(Math.round(2000 + 500 * r.normal()) / 100))
    expect(stepOf(ascending(cents), true)).toBe(0.01)
  })

  it('finds none in a continuum, single or double, small or large', () => {
    for (const n of [12, 80, 5000])
      for (let seed = 1; seed < 60; seed++) {
        const r = random(seed)
        const values = Array.from({ length: n }, () => 10 + r.normal())
        expect(stepOf(ascending(values), false)).toBe(0)
        expect(stepOf(ascending(values.map(Math.fround)), true)).toBe(0)
      }
  })

  it('comes to an end on any numbers, those off the grid by their rounding included', () => {
    const wobbly = fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: -12, max: 12 }))
    fc.assert(
      fc.property(fc.array(wobbly, { minLength: 12, maxLength: 300 }), fc.boolean(), (cells, single) => {
        const unit = single ? 2 ** -23 : 2 ** -52
        const values = cells.map(([k, ulps]) => k * (1 + ulps * unit))
        expect(stepOf(ascending(values), single)).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 300 },
    )
  })

  it('says nothing of a few values or an endless range', () => {
    expect(stepOf(Float64Array.from([1, 2, 3]), false)).toBe(0)
    expect(
      stepOf(
        Float64Array.from({ length: 20 }, (_, i) => (i - 10) * 1.7e307),
        false,
      ),
    ).toBe(0)
  })
})
