import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { DiscreteModel } from '../../../src/features/discrete/discrete.ts'
import { fitDiscrete } from '../../../src/features/discrete/discrete-fit.ts'

/** All combinations of codes, row-major. */
function combinations(levels: readonly number[]): Int32Array {
  const total = levels.reduce((product, n) => product * n, 1)
  const out: number[] = []
  for (let i = 0; i < total; i++) {
    let rest = i
    for (const n of levels) {
      out.push(rest % n)
      rest = Math.floor(rest / n)
    }
  }
  return Int32Array.from(out)
}

function learn(
  levels: readonly number[],
  rows: number,
  draw: (row: number) => number[],
  given: number[] = [],
) {
  const codes = Int32Array.from(Array.from({ length: rows }, (_, row) => draw(row)).flat())
  const columns = levels.map((n, k) => ({ levels: n, given: given.includes(k) }))
  const state = fitDiscrete(columns, () => [{ rows, codes }])
  return { state, model: new DiscreteModel(state) }
}

function logProbs(model: DiscreteModel, codes: Int32Array): Float64Array {
  const rows = codes.length / model.columns
  const out = new Float64Array(rows)
  model.addLogProb(codes, rows, out)
  return out
}

const sumOf = (logs: Float64Array): number => logs.reduce((sum, l) => sum + Math.exp(l), 0)

describe('the discrete distribution', () => {
  it('sums to 1 over all level combinations, unseen levels included', () => {
    const shape = fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 1e9 }),
        (levels, rows, seed) => {
          const r = random(seed)
          const { model } = learn(levels, rows, () => {
            const latent = r.uniform()
            return levels.map((n) => 1 + Math.floor((n - 1) * (r.uniform() < 0.7 ? latent : r.uniform())))
          })
          expect(sumOf(logProbs(model, combinations(levels)))).toBeCloseTo(1, 9)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('recovers a chain and leaves independent columns alone', () => {
    const r = random(3)
    const flip = (c: number): number => (r.uniform() < 0.1 ? 3 - c : c)
    const { state } = learn([3, 3, 3, 3], 5000, () => {
      const a = 1 + r.integer(2)
      const b = flip(a)
      return [a, b, flip(b), 1 + r.integer(2)]
    })
    expect(state.parents).toEqual([-1, 0, 1, -1])
  })

  it('makes an impossible pair improbable though both values are common', () => {
    const r = random(4)
    const { model } = learn([5, 5], 4000, () => {
      const a = 1 + r.integer(4)
      return [a, a]
    })
    const [right, wrong] = logProbs(model, Int32Array.from([2, 2, 2, 3]))
    expect(right).toBeCloseTo(Math.log(0.25), 1)
    expect(wrong).toBeLessThan(right - 5)
  })

  it('conditions on given columns without modelling them: sums to 1 for each of their values', () => {
    const r = random(5)
    const { model, state } = learn(
      [4, 3, 3],
      3000,
      () => {
        const g = 1 + r.integer(3)
        return [g, g === 1 ? 1 : 2, 1 + r.integer(2)]
      },
      [0],
    )
    expect(state.parents).toEqual([-1, 0, -1])
    const all = combinations([4, 3, 3])
    const logs = logProbs(model, all)
    for (let g = 0; g < 4; g++) expect(sumOf(logs.filter((_, i) => all[3 * i] === g))).toBeCloseTo(1, 9)
  })

  it('gives unseen values the share of values seen once', () => {
    const { model } = learn([102, 2], 200, (row) => [row < 100 ? 1 : 1 + (row - 99), 1])
    expect(Math.exp(model.logMarginal(0, 0))).toBeCloseTo(101 / 202, 3)
  })

  it('is the same with sparse tables', () => {
    const r = random(6)
    const levels = [1100, 1100]
    const { model } = learn(levels, 20_000, () => {
      const a = 1 + Math.floor(1099 * r.uniform() ** 3)
      return [a, r.uniform() < 0.9 ? a : 1 + r.integer(1099)]
    })
    const row = (a: number) => sumOf(model.logProbOfLevels(Int32Array.from([a, 1]), 1))
    for (const a of [0, 1, 500, 1099]) expect(Math.log(row(a))).toBeCloseTo(model.logMarginal(0, a), 9)
  })
})
