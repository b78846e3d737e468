import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows } from '../../../src/core/record.ts'
import { Anchor, type AnchorState } from '../../../src/features/anchors/anchor.ts'
import { FeatureEncoder } from '../../../src/features/encoder.ts'
import { fitEncoder } from '../../../src/features/encoder-fit.ts'
import { exactView, View } from '../../../src/features/view.ts'

/** Distance is a function of from and to, which alone say little; weight depends on nothing. */
function trips(n: number, seed: number): Record<string, unknown>[] {
  const r = random(seed)
  return Array.from({ length: n }, () => {
    const [a, b] = [r.integer(12), r.integer(11)]
    return {
      from: `f${a}`,
      to: `t${b}`,
      customer: `c${r.integer(3000)}`,
      distance: 100 + ((a * 7919 + b * 104_729) % 997) * 1.371,
      weight: 50 + 10 * r.normal(),
    }
  })
}

const rows = trips(4000, 1)
const encoder = fitEncoder([batchOfRows(rows)])
const encoded = encoder.encode(batchOfRows(rows))
const fieldOf = (k: number): string => encoder.layout.discrete[k].field
const numericAt = (field: string): number => encoder.layout.numeric.findIndex((one) => one.field === field)
const width = encoder.layout.discrete.length
const across = encoder.layout.numeric.length

describe('an anchor', () => {
  it('is the pair of columns that explains a number, and there is none where nothing does', () => {
    expect(encoder.state.anchors.map(({ column }) => encoder.layout.numeric[column].field)).toEqual([
      'distance',
    ])
    const [{ groupings }] = encoder.state.anchors
    expect(groupings).toHaveLength(2)
    expect(groupings[1].by.map(fieldOf).sort()).toEqual(['from', 'to'])
  })

  it('is one column where a pair tells no more', () => {
    const r = random(2)
    const data = Array.from({ length: 3000 }, () => {
      const product = r.integer(40)
      return { product: `p${product}`, shop: `s${r.integer(9)}`, price: product ** 2 + 5 * r.normal() }
    })
    const { state, layout } = fitEncoder([batchOfRows(data)])
    expect(
      state.anchors.map(({ groupings }) =>
        groupings.map(({ by }) => by.map((k) => layout.discrete[k].field)),
      ),
    ).toEqual([[['product']]])
  })

  it('expects the value of the group, sharply, and of an unseen pair what the first column says', () => {
    const [anchor] = encoder.anchors
    for (let row = 0; row < 50; row++) {
      const [mean, logScale] = anchor.estimate(encoded.codes, row * width)
      expect(mean).toBeCloseTo(encoded.numeric[row * across + anchor.column], 3)
      expect(logScale).toBeLessThan(Math.log(0.01))
    }
    const [{ groupings }] = encoder.state.anchors
    const codes = encoded.codes.slice(0, width)
    codes[groupings[1].by[1]] = 0
    expect(anchor.estimate(codes, 0)[1]).toBeGreaterThan(Math.log(0.1))
    codes.fill(0)
    expect([...anchor.estimate(codes, 0)]).toEqual([
      encoder.state.anchors[0].root.mean,
      encoder.state.anchors[0].root.logVariance / 2,
      0,
    ])
  })

  it('leaves a record out as if it had never been there', () => {
    const state = (groups: number[]): AnchorState => ({
      column: 0,
      floor: 0.01,
      typical: 1,
      root: { mean: 0.3, logVariance: 0.2 },
      groupings: [{ by: [0], levels: 4, strength: 0.7, logVariance: -1, groups }],
    })
    const values = [0.5, 1.5, 2.5, -0.25]
    const moments = (of: readonly number[]): number[] => {
      const mean = of.reduce((sum, u) => sum + u, 0) / of.length
      return [1, of.length, mean, of.reduce((sum, u) => sum + (u - mean) ** 2, 0)]
    }
    const [all, codes] = [new Anchor(state(moments(values))), Int32Array.of(1)]
    const out = new Float64Array(3)
    for (const u of values) {
      all.estimateWithout(codes, 0, u, out)
      const rest = new Anchor(state(moments(values.filter((v) => v !== u)))).estimate(codes, 0)
      for (const k of [0, 1, 2]) expect(out[k]).toBeCloseTo(rest[k], 12)
    }
    new Anchor(state(moments([1]))).estimateWithout(codes, 0, 1, out)
    expect([...out]).toEqual([0.3, 0.1, 0])
  })

  it('is data: an encoder from its JSON expects the same', () => {
    const again = FeatureEncoder.fromState(JSON.parse(JSON.stringify(encoder.state)))
    const view = exactView(encoder.layout, encoder.anchors)
    expect(new View(view.spec, again.anchors).input(encoded)).toEqual(view.input(encoded))
  })
})

describe('an anchored dimension', () => {
  const view = exactView(encoder.layout, encoder.anchors)
  const d = view.spec.dims.findIndex(({ column }) => column === numericAt('distance'))

  it('corrects by the logarithm of its slope, in the bulk and in the tails', () => {
    const h = 1e-3
    for (const shift of [0, 0.4, -1.5]) {
      const at = (by: number) => {
        const numeric = encoded.numeric.slice()
        for (let row = 0; row < encoded.rows; row++)
          numeric[row * across + numericAt('distance')] += shift + by
        return view.input({ ...encoded, numeric }, [0, 1, 2])
      }
      const [below, here, above] = [at(-h), at(0), at(h)]
      for (let i = 0; i < 3; i++) {
        const slope = (above.x[i * view.dim + d] - below.x[i * view.dim + d]) / (2 * h)
        if (shift !== 0) expect(here.correction[i]).toBeCloseTo(Math.log(slope), 1)
        expect(Number.isFinite(here.correction[i])).toBe(true)
      }
    }
  })

  it('makes a value of another pair stand far out, and its own not', () => {
    const { x } = view.input(encoded)
    const own = Array.from({ length: encoded.rows }, (_, i) => Math.abs(x[i * view.dim + d]))
    expect(Math.max(...own)).toBeLessThan(1)
    const numeric = encoded.numeric.slice()
    numeric[numericAt('distance')] += 0.2
    expect(Math.abs(view.input({ ...encoded, numeric }).x[d])).toBeGreaterThan(4)
  })
})
