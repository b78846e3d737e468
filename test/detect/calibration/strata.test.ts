import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../../src/core/record.ts'
import { ANOMALY } from '../../../src/core/scored.ts'
import { missingPatterns, Strata } from '../../../src/detect/calibration/strata.ts'
import { Detector } from '../../../src/detect/detector.ts'
import { fitDetector } from '../../../src/detect/fit/fit-detector.ts'

describe('Strata', () => {
  const r = random(1)
  const draw = (n: number, mean: number, deviation: number) =>
    Float64Array.from({ length: n }, () => mean + deviation * r.normal())
  const repeated = <T>(n: number, value: T): T[] => new Array<T>(n).fill(value)

  it('moves a stratum that departs to where the others lie, tail included', () => {
    const own = [draw(2000, 0, 1), draw(500, 6, 3)]
    const strata = Strata.fit(Float64Array.from(own.flatMap((part) => [...part])), {
      missing: [...repeated(2000, ''), ...repeated(500, '0.1.')],
    })
    const tails = [draw(20_000, 0, 1), draw(20_000, 6, 3)].map((part, i) => {
      strata.align(part, { missing: repeated(part.length, ['', '0.1.'][i]) })
      return part
    })
    const limit = tails[0].slice().sort()[Math.floor(0.98 * 20_000)]
    const share = tails[1].filter((s) => s > limit).length / 20_000
    expect(share).toBeGreaterThan(0.01)
    expect(share).toBeLessThan(0.035)
  })

  it('leaves what noise explains where it is, and strata of few records', () => {
    const surprisals = draw(2400, 0, 1)
    const missing = Array.from(surprisals, (_, i) => (i % 24 === 0 ? '0.' : i % 240 === 1 ? '1.' : ''))
    const { state } = Strata.fit(surprisals, { missing })
    expect(state.missing.map(({ key }) => key).sort()).toEqual(['', '0.'])
    for (const { centre, spread } of state.missing) {
      expect(Math.abs(centre - state.centre)).toBeLessThan(0.25)
      expect(Math.abs(spread / state.spread - 1)).toBeLessThan(0.25)
    }
  })

  it('knows entities by a hash, after the patterns, and a new one as the pool', () => {
    const surprisals = Float64Array.from([...draw(600, 0, 1), ...draw(200, 3, 1)])
    const entities = [...repeated(600, 'calm'), ...repeated(200, 'wild')]
    const strata = Strata.fit(surprisals, { missing: repeated(800, ''), entities })
    expect(strata.byEntity).toBe(true)
    expect(JSON.stringify(strata.state)).not.toMatch(/calm|wild/)
    const [calm, wild, fresh, nobody] = [0, 3, 3, 3]
    const moved = Float64Array.of(calm, wild, fresh, nobody)
    strata.align(moved, { missing: repeated(4, ''), entities: ['calm', 'wild', 'new', null] })
    expect(Math.abs(moved[0] - moved[1])).toBeLessThan(0.3)
    expect([moved[2], moved[3]]).toEqual([3, 3])
  })

  it('tells rows by what is missing', () => {
    const joint = Float32Array.of(1, Number.NaN, 2, 3, Number.NaN, Number.NaN)
    expect(missingPatterns({ rows: 3, joint })).toEqual(['1.', '', '0.1.'])
    expect(missingPatterns({ rows: 0, joint: new Float32Array(0) })).toEqual([])
  })
})

describe('a detector of records with two patterns of very different dimension', () => {
  /** Ten readings that depend on each other; a third of the records has one of them alone. */
  function readings(rows: number, seed: number): RecordBatch {
    const r = random(seed)
    return batchOfRows(
      Array.from({ length: rows }, (_, i) => {
        const level = r.normal()
        const sparse = i % 3 === 0
        return Object.fromEntries(
          Array.from({ length: 10 }, (_, d) => [`m${d}`, sparse && d > 0 ? null : level + r.normal()]),
        )
      }),
    )
  }

  it('flags each pattern at the rate that was asked for', async () => {
    const { artifact, manifest } = await fitDetector([readings(3600, 1)], { rate: 0.05, effort: 0.1 })
    expect(manifest.calibration.strata?.missing).toHaveLength(2)
    await using detector = await Detector.load(artifact, { workers: 0 })
    const { verdict } = await detector.score(readings(6000, 2), { explain: false })
    const rateOf = (sparse: boolean) => {
      const own = verdict.filter((_, i) => (i % 3 === 0) === sparse)
      return own.filter((v) => v === ANOMALY).length / own.length
    }
    // The 99 % beta-binomial intervals around 5 %: 240 and 480 records calibrate, 2,000 and 4,000 are tested.
    expect(rateOf(true)).toBeGreaterThan(0.015)
    expect(rateOf(true)).toBeLessThan(0.095)
    expect(rateOf(false)).toBeGreaterThan(0.025)
    expect(rateOf(false)).toBeLessThan(0.083)
  })
})
