import { describe, expect, it } from 'vitest'
import { alertRate } from '../../../src/detect/calibration/alert-rate.ts'

describe('alertRate', () => {
  it('converts a budget by the volume of the training data', () => {
    expect(alertRate({ budget: '20/day' }, 40_000)).toBeCloseTo(0.0005, 12)
    expect(alertRate({ budget: '1 / hour' }, 2400)).toBeCloseTo(0.01, 12)
    expect(alertRate({ budget: '7/week' }, 1000)).toBeCloseTo(0.001, 12)
    expect(alertRate({ budget: '1000000/day' }, 10)).toBe(0.5)
  })

  it('takes a rate as it is and one in a thousand by default', () => {
    expect(alertRate({ rate: 0.02 }, null)).toBe(0.02)
    expect(alertRate({}, null)).toBe(0.001)
  })

  it.each([
    [{ rate: 0 }, /above 0/],
    [{ rate: 2 }, /at most 0.5/],
    [{ rate: Number.NaN }, /NaN/],
    [{ rate: 0.1, budget: '1/day' }, /give one/],
    [{ budget: 'many' }, /20\/day/],
    [{ budget: '0/day' }, /20\/day/],
    [{ budget: '20/day' }, /no event time/],
  ])('refuses %j', (options, message) => {
    expect(() => alertRate(options, null)).toThrowError(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }),
    )
  })
})
