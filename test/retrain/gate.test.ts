import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { blockBootstrap, mean, winsorize } from '../../src/retrain/block-bootstrap.ts'
import { type Evaluation, GATE, judge } from '../../src/retrain/gate.ts'

const draw = random(3)
const base = Float64Array.from({ length: 4000 }, () => -5 + draw.normal())
const options = { ...GATE, rate: 0.01 }
const SCORES = Float64Array.from({ length: 4000 }, (_, i) => i / 1000)
/** Of 200 canaries the first so many. */
const found = (share: number): Float64Array =>
  Float64Array.from({ length: 200 }, (_, i) => (i < 200 * share ? 9 : 0))
const evaluation = (extra: Partial<Evaluation> = {}): Evaluation => ({
  version: 1,
  measure: 'a',
  logProb: base,
  alarmRate: 0.01,
  unscoredRate: 0,
  scores: SCORES,
  canaries: found(0.9),
  recordsPerSecond: 100_000,
  ...extra,
})
const shifted = (by: number): Float64Array => base.map((value) => value + by + 0.1 * draw.normal())
const failed = (challenger: Partial<Evaluation>, champion: Partial<Evaluation> = {}): string[] =>
  judge(evaluation(challenger), evaluation(champion), options)
    .checks.filter((c) => !c.passed)
    .map((c) => c.name)

describe('the gate', () => {
  it('promotes a better challenger and says by how much', () => {
    const decision = judge(evaluation({ logProb: shifted(0.3) }), evaluation(), options)
    expect(decision.promote).toBe(true)
    expect(decision.improvement!.mean).toBeCloseTo(0.3, 1)
    expect(decision.improvement!.low).toBeGreaterThan(0.28)
    expect(decision.reason).toMatch(/^promoted: .*better by 0\.(29|30)/)
    expect(decision.nll! - judge(evaluation(), evaluation(), options).nll!).toBeCloseTo(-0.3, 1)
    const nothing = new Float64Array(base.length).fill(Number.NaN)
    expect(judge(evaluation({ logProb: nothing }), undefined, options).nll).toBe(null)
  })

  it('rejects a worse one with the reason', () => {
    const decision = judge(evaluation({ logProb: shifted(-0.3) }), evaluation(), options)
    expect(decision.promote).toBe(false)
    expect(decision.reason).toMatch(/^rejected: log-density worse by 0\.(29|30)/)
  })

  it('lets pass what is worse within the tolerance or within chance', () => {
    expect(failed({ logProb: shifted(-0.02) })).toEqual([])
    const few = base.slice(0, 20)
    expect(failed({ logProb: few.map((v) => v - 0.1 + 3 * draw.normal()) }, { logProb: few })).toEqual([])
  })

  it('does not take a few canaries that go either way for a loss', () => {
    const before = Float64Array.from({ length: 60 }, (_, i) => (i < 42 ? 9 : 0))
    const other = (lost: number, only: number) =>
      before.map((was, i) => (i < lost || i >= 60 - only ? 9 - was : was))
    expect(failed({ canaries: other(10, 5) }, { canaries: before })).toEqual([])
    expect(failed({ canaries: other(20, 2) }, { canaries: before })).toEqual(['canaries'])
  })

  it('lets no champion win by crying wolf: both may flag as many records', () => {
    const canaries = Float64Array.from({ length: 200 }, () => 3.9)
    const nervous = { alarmRate: 0.05, canaries }
    expect(failed({ canaries }, nervous)).toEqual([])
    expect(failed({ canaries: canaries.map(() => 3) }, nervous)).toEqual(['canaries'])
  })

  it('is not bought by one wild record', () => {
    const logProb = shifted(-0.3)
    logProb[7] = 1e9
    expect(failed({ logProb })).toEqual(['density'])
  })

  it.each([
    ['alarm rate', { alarmRate: 0.05 }],
    ['canaries', { canaries: found(0.7) }],
    ['cost', { recordsPerSecond: 10_000 }],
    ['unscored', { unscoredRate: 0.2 }],
  ])('rejects on %s alone', (name, challenger) => {
    expect(failed(challenger)).toEqual([name])
  })

  it('does not hold anomalies against the one that finds them, where their share is stated', () => {
    const window = { alarmRate: 0.05 }
    expect(judge(evaluation(window), evaluation(window), { ...options, anomalous: 0.04 }).promote).toBe(true)
  })

  it('does not compare densities of different base measures', () => {
    const decision = judge(evaluation({ measure: 'b', logProb: shifted(-9) }), evaluation(), options)
    expect(decision).toMatchObject({ promote: true, improvement: null })
    expect(decision.reason).toContain('log-densities are not compared')
  })

  it('says why there was no champion to compare with', () => {
    const decision = judge(evaluation(), undefined, options, 'version 3 was not compared: no column "z"')
    expect(decision.promote).toBe(true)
    expect(decision.reason).toContain('version 3 was not compared: no column "z"')
  })

  it('does not promote on an empty comparison', () => {
    const nothing = new Float64Array(10).fill(Number.NaN)
    expect(failed({ logProb: nothing }, { logProb: nothing })).toContain('density')
  })

  it('judges a first model by its alarm rate and coverage alone', () => {
    expect(judge(evaluation(), undefined, options).promote).toBe(true)
    expect(judge(evaluation({ alarmRate: 0.2 }), undefined, options).promote).toBe(false)
  })
})

describe('blockBootstrap', () => {
  it('covers the mean of a dependent series about as often as it says', () => {
    let covered = 0
    for (let trial = 0; trial < 200; trial++) {
      let level = 0
      const series = Float64Array.from({ length: 1000 }, () => {
        level = 0.5 * level + draw.normal()
        return level
      })
      const { low, high } = blockBootstrap(winsorize(series), mean, draw, 200)
      if (low <= 0 && high >= 0) covered++
    }
    expect(covered).toBeGreaterThan(170)
  })
})
