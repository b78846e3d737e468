import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import { glow, realNvp } from '../../src/flow/architectures.ts'
import { parameterCount } from '../../src/flow/layout.ts'

const kinds = (spec: { bijectors: readonly { kind: string }[] }) => spec.bijectors.map((b) => b.kind)

describe('realNvp', () => {
  it('repeats actnorm, rotation, coupling', () => {
    expect(kinds(realNvp({ dim: 4, steps: 2 }))).toEqual([
      'actnorm',
      'rotation',
      'affine-coupling',
      'actnorm',
      'rotation',
      'affine-coupling',
    ])
  })

  it('permutes between couplings, each pair of which moves every dimension', () => {
    for (const dim of [2, 3, 5, 16]) {
      const spec = realNvp({ dim, steps: 4, mixing: 'permutation' })
      expect(kinds(spec)[1]).toBe('affine-coupling')
      let at = Array.from({ length: dim }, (_, d) => d)
      const moved: number[][] = []
      for (const bijector of spec.bijectors) {
        if (bijector.kind === 'permutation') at = bijector.order.map((source) => at[source])
        if (bijector.kind === 'affine-coupling') moved.push(at.slice(bijector.split))
      }
      for (let pair = 0; pair < moved.length; pair += 2)
        expect(new Set([...moved[pair], ...moved[pair + 1]]).size).toBe(dim)
    }
  })

  it('needs no mixing in one dimension', () => {
    expect(kinds(realNvp({ dim: 1, steps: 1 }))).toEqual(['actnorm', 'affine-coupling'])
  })

  it('draws its permutations from the seed', () => {
    const options = { dim: 16, mixing: 'permutation' } as const
    expect(realNvp({ ...options, seed: 1 })).toEqual(realNvp({ ...options, seed: 1 }))
    expect(realNvp({ ...options, seed: 1 })).not.toEqual(realNvp({ ...options, seed: 2 }))
  })
})

describe('glow', () => {
  it('repeats actnorm, linear map, coupling', () => {
    expect(kinds(glow({ dim: 1, steps: 1 }))).toEqual(['actnorm', 'lu-linear', 'affine-coupling'])
  })

  it('counts what it trains', () => {
    const actnorm = 2 * 3
    const linear = 2 * 9 + 3
    const coupling = 5 * 1 + 5 + 4 * 5 + 4
    expect(parameterCount(glow({ dim: 3, steps: 2, hidden: [5] }))).toBe(2 * (actnorm + linear + coupling))
  })
})

describe.each([
  ['realNvp', realNvp],
  ['glow', glow],
])('%s', (_, architecture) => {
  it.each([{ dim: 1e9 }, { dim: 4, steps: 1e9 }, { dim: 4, steps: 0 }, { dim: 4, hidden: [0] }])(
    'refuses %o before it allocates',
    (options) => {
      let error: unknown
      try {
        architecture(options)
      } catch (thrown) {
        error = thrown
      }
      expect(isSurprisalError(error, 'FLOW_SPEC_INVALID')).toBe(true)
    },
  )
})
