import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FlowWeights } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'
import { loadKernel } from '../../src/kernel/kernel.ts'
import { MixtureScorer } from '../../src/kernel/mixture-scorer.ts'

/** Of moderate condition, away from every special point. */
function randomMixture(dim: number, components: number, seed: number): FlowWeights {
  const source = random(seed)
  const normals = (size: number, scale: number) =>
    Float32Array.from({ length: size }, () => scale * source.normal())
  const whitening = normals(components * dim * dim, 1 / Math.sqrt(dim)).map((v, at) => {
    const [i, j] = [Math.floor(at / dim) % dim, at % dim]
    return i === j ? Math.exp(3 * v) : j < i ? v : 0
  })
  return new Map([
    ['log_weight', { shape: [components], data: normals(components, 1) }],
    ['mean', { shape: [components, dim], data: normals(components * dim, 1) }],
    ['whitening', { shape: [components, dim, dim], data: whitening }],
    ['median', { shape: [dim], data: normals(dim, 1) }],
  ])
}

/** min_j (log p(x_j | x_−j) − median_j) by the definition, and the largest |W_k (x − μ_k)|²; float64. */
function weakestOf(
  weights: FlowWeights,
  dim: number,
  x: Float32Array,
  fill?: Uint8Array,
): { readonly weakest: number; readonly farthest: number } {
  const [logWeight, mean, whitening, median] = ['log_weight', 'mean', 'whitening', 'median'].map(
    (name) => weights.get(name)!.data,
  )
  const joint: number[] = []
  let farthest = 0
  const without = Array.from({ length: dim }, (): number[] => [])
  for (const [c, share] of logWeight.entries()) {
    const w = (i: number, j: number) => whitening[(c * dim + i) * dim + j]
    const d = Array.from({ length: dim }, (_, j) => x[j] - mean[c * dim + j])
    const white = d.map((_, i) => d.reduce((sum, v, j) => sum + (j <= i ? w(i, j) * v : 0), 0))
    const density = white.reduce(
      (sum, v, i) => sum - 0.5 * v * v + Math.log(w(i, i)) - 0.5 * Math.log(2 * Math.PI),
      share,
    )
    joint.push(density)
    farthest = Math.max(
      farthest,
      white.reduce((sum, v) => sum + v * v, 0),
    )
    for (let j = 0; j < dim; j++) {
      const precision = d.reduce((sum, _, i) => sum + (i >= j ? w(i, j) ** 2 : 0), 0)
      const pull = white.reduce((sum, v, i) => sum + (i >= j ? w(i, j) * v : 0), 0)
      without[j].push(density + (0.5 * pull * pull) / precision + 0.5 * Math.log((2 * Math.PI) / precision))
    }
  }
  const conditionals = without.map((others, j) => logSum(joint) - logSum(others) - median[j])
  const present = conditionals.filter((_, j) => fill?.[j] !== 1)
  return { weakest: present.length === 0 ? 0 : Math.min(...present), farthest }
}

function logSum(values: readonly number[]): number {
  const peak = Math.max(...values)
  return peak + Math.log(values.reduce((sum, v) => sum + Math.exp(v - peak), 0))
}

function expectAgreement(got: number, { weakest, farthest }: ReturnType<typeof weakestOf>): void {
  const allowed = 2e-5 * (1 + Math.abs(weakest)) + 1e-6 * farthest
  if (!(Math.abs(got - weakest) <= allowed))
    expect.fail(`${got}, expected ${weakest} ± ${allowed} (${farthest})`)
}

describe.each([true, false])('MixtureScorer (relaxed: %s)', (relaxed) => {
  const kernel = loadKernel({ relaxed })

  function agree(dim: number, components: number, rows: number, size: number, seed: number): void {
    const weights = randomMixture(dim, components, seed)
    const source = random(seed + 1)
    const x = Float32Array.from({ length: rows * dim }, () => size * source.normal())
    const fill = Uint8Array.from(x, () => (source.uniform() < 0.3 ? 1 : 0))
    const scorer = new MixtureScorer(kernel, weights, dim)
    const [whole, partly] = [scorer.weakest(x, rows), scorer.weakest(x, rows, fill)]
    scorer.dispose()
    for (let r = 0; r < rows; r++) {
      const [from, to] = [r * dim, (r + 1) * dim]
      const row = x.subarray(from, to)
      expectAgreement(whole[r], weakestOf(weights, dim, row))
      expectAgreement(partly[r], weakestOf(weights, dim, row, fill.subarray(from, to)))
    }
  }

  it('agrees with the definition on any mixture and any batch, near the means and far from them', () => {
    const sizes = fc.constantFrom(0.1, 1, 3, 10, 100, 1000, 10_000)
    const dims = fc.integer({ min: 1, max: 24 })
    const seeds = fc.integer({ min: 0, max: 2 ** 31 })
    fc.assert(
      fc.property(dims, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), sizes, seeds, agree),
      { numRuns: 150 },
    )
  })

  it.each([1, 2, 3, 4, 5, 16, 62, 127, 128])('agrees in %i dimensions', (dim) => {
    for (const components of [1, 2, 8]) agree(dim, components, 3, 2, dim)
  })

  it.each([1, 7, 8, 9, 63, 64, 65, 1000])('agrees on a batch of %i', (rows) => agree(6, 3, rows, 2, rows))

  it('takes more rows than its buffers hold, and gives each record its own result', () => {
    const dim = 5
    const scorer = new MixtureScorer(kernel, randomMixture(dim, 4, 2), dim)
    const source = random(3)
    const rows = 30_001
    const x = Float32Array.from({ length: rows * dim }, () => 2 * source.normal())
    const all = scorer.weakest(x, rows)
    for (const row of [0, 9, 16_383, 16_384, rows - 1])
      expect(scorer.weakest(x.slice(row * dim, (row + 1) * dim), 1)[0]).toBe(all[row])
    scorer.dispose()
  })

  it('stays finite however far a row lies, and calls nothing that is not a number plausible', () => {
    const scorer = new MixtureScorer(kernel, randomMixture(2, 3, 1), 2)
    for (const v of [1e4, -1e10, 3e38, Infinity]) {
      const [judged] = scorer.weakest(Float32Array.of(v, -v), 1)
      expect(judged).toBeLessThan(-1000)
      expect(Number.isFinite(judged)).toBe(true)
    }
    expect(scorer.weakest(Float32Array.of(Number.NaN, 0), 1)[0]).toBeNaN()
    scorer.dispose()
  })

  it('gives its memory back, and says what it lacks', () => {
    const before = kernel.arena.used
    const scorer = new MixtureScorer(kernel, randomMixture(3, 2, 1), 3)
    expect(() => scorer.weakest(new Float32Array(5), 2)).toThrow(/2 rows need 6 values/)
    scorer.dispose()
    scorer.dispose()
    expect(kernel.arena.used).toBe(before)
    expect(() => scorer.weakest(new Float32Array(6), 2)).toThrow(/disposed/)
    expect(() => new MixtureScorer(kernel, randomMixture(3, 2, 1), 4)).toThrow(/mean has shape/)
  })
})
