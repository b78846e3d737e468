import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RELATIVE_ACCURACY, ScoreHistogram } from '../../../src/core/scores/histogram.ts'

const score = fc.double({ min: 0, max: 1e6, noNaN: true })

describe('ScoreHistogram', () => {
  it('gives every quantile within its relative accuracy, however it was merged', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(score), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (parts, q) => {
          const merged = new ScoreHistogram()
          for (const part of parts) {
            const histogram = new ScoreHistogram()
            for (const value of part) histogram.add(value)
            merged.merge(histogram)
          }
          const sorted = parts.flat().sort((a, b) => a - b)
          expect(merged.total).toBe(sorted.length)
          if (sorted.length === 0) {
            expect(merged.quantile(q)).toBeNull()
            return
          }
          const truth = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]
          expect(Math.abs(merged.quantile(q)! - truth)).toBeLessThanOrEqual(
            truth * (RELATIVE_ACCURACY + 1e-9) + 1e-3,
          )
        },
      ),
    )
  })

  it('takes infinite and broken scores without losing count', () => {
    const histogram = new ScoreHistogram()
    for (const value of [Number.POSITIVE_INFINITY, Number.NaN, -1]) histogram.add(value)
    expect(histogram.total).toBe(3)
    expect(histogram.quantile(0)).toBe(0)
    expect(Number.isFinite(histogram.quantile(1))).toBe(true)
  })
})
