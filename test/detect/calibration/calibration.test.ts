import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Random, random } from '../../../src/core/random.ts'
import { Calibration } from '../../../src/detect/calibration/calibration.ts'

function pValues(calibration: Calibration, surprisals: ArrayLike<number>, tie: () => number = () => 0.5) {
  const s = Float64Array.from(surprisals)
  const out = {
    score: new Float64Array(s.length),
    pValue: new Float64Array(s.length),
    pMethod: new Uint8Array(s.length),
  }
  calibration.apply(s, s.length, tie, out)
  return out
}
const draw = (n: number, one: () => number) => Float64Array.from({ length: n }, one)

describe('calibration', () => {
  /** Mean over fresh calibrations of P(p ≤ α) must be α: the standard error of `trials` beta draws, four of them. */
  it.each([
    ['exponential surprisals', (r: Random) => -Math.log(1 - r.uniform())],
    ['normal surprisals', (r: Random) => r.normal()],
    ['bounded surprisals', (r: Random) => r.uniform()],
    ['heavy tails', (r: Random) => (1 - r.uniform()) ** -0.3],
  ])('gives uniform p-values on exchangeable data: %s', (_, one) => {
    const r = random(11)
    const trials = 40
    const n = 2000
    const test = 2000
    const realised = new Map([0.5, 0.1, 0.05, 0.01].map((alpha) => [alpha, 0]))
    for (let t = 0; t < trials; t++) {
      const { pValue } = pValues(
        Calibration.fit(draw(n, () => one(r))),
        draw(test, () => one(r)),
      )
      for (const [alpha, sum] of realised) {
        realised.set(alpha, sum + pValue.filter((p) => p <= alpha).length / test / trials)
      }
    }
    for (const [alpha, share] of realised) {
      const error = Math.sqrt((alpha * (1 - alpha) * (1 / n + 1 / test)) / trials)
      expect(Math.abs(share - alpha), `at ${alpha}`).toBeLessThan(4 * error + 0.05 * alpha)
    }
  })

  it('reaches beyond its ranks: a rate of 1e-3 from 500 records is right within a factor of two', () => {
    const r = random(3)
    let flagged = 0
    for (let t = 0; t < 100; t++) {
      const calibration = Calibration.fit(draw(500, () => -Math.log(1 - r.uniform())))
      flagged += pValues(
        calibration,
        draw(2000, () => -Math.log(1 - r.uniform())),
      ).pValue.filter((p) => p <= 1e-3).length
    }
    expect(flagged / 200_000).toBeGreaterThan(0.5e-3)
    expect(flagged / 200_000).toBeLessThan(2e-3)
  })

  it('draws ties by the given place, so that discrete surprisals are uniform too', () => {
    const r = random(5)
    const level = () => r.integer(3) - 1
    const calibration = Calibration.fit(draw(5000, level))
    const { pValue } = pValues(calibration, draw(20_000, level), () => r.uniform())
    for (const alpha of [0.05, 0.2, 0.5, 0.8]) {
      expect(Math.abs(pValue.filter((p) => p <= alpha).length / 20_000 - alpha)).toBeLessThan(0.03)
    }
  })

  it('is in (0, 1], strictly monotone and continuous in the surprisal', () => {
    const numbers = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 8, maxLength: 200 })
    fc.assert(
      fc.property(numbers, (surprisals) => {
        const calibration = Calibration.fit(surprisals)
        const grid = Float64Array.from({ length: 600 }, (_, i) => -60 + i * 0.2 + 0.0123)
        const { score, pValue } = pValues(calibration, grid)
        for (let i = 0; i < grid.length; i++) {
          expect(pValue[i]).toBeGreaterThanOrEqual(calibration.floor)
          expect(pValue[i]).toBeLessThanOrEqual(1)
          if (i > 0) expect(score[i]).toBeGreaterThanOrEqual(score[i - 1])
          if (i > 0 && score[i] > 1e-9) expect(score[i]).toBeGreaterThan(score[i - 1])
        }
      }),
      { numRuns: 25 },
    )
    const r = random(9)
    const calibration = Calibration.fit(draw(1000, () => r.normal()))
    const { threshold } = calibration.state.tail
    const { score } = pValues(calibration, [threshold - 1e-4, threshold, threshold + 1e-4])
    expect(score[2] - score[0]).toBeLessThan(2e-3)
  })

  it('states its floor, and keeps ranking below it', () => {
    const calibration = Calibration.fit(draw(999, () => 0).map((_, i) => i / 999))
    const { pValue, score, pMethod } = pValues(calibration, [50, 60, 0.5])
    expect(calibration.floor).toBeCloseTo(1e-5, 12)
    expect([...pValue.subarray(0, 2)]).toEqual([calibration.floor, calibration.floor])
    expect(score[1]).toBeGreaterThan(score[0])
    expect([...pMethod]).toEqual([1, 1, 0])
  })

  it('passes NaN on and refuses too few records', () => {
    expect(pValues(Calibration.fit(draw(20, Math.random)), [Number.NaN]).pValue[0]).toBeNaN()
    expect(() => Calibration.fit([1, 2, 3])).toThrowError(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT', message: expect.stringContaining('3 held-out') }),
    )
  })
})
