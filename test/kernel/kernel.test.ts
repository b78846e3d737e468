import { describe, expect, it } from 'vitest'
import type { FlowSpec, WeightTensor } from '../../src/core/flow-spec.ts'
import { NO_CONTEXT } from '../../src/core/flow-spec.ts'
import { FlowScorer } from '../../src/kernel/flow-scorer.ts'
import { type Kernel, loadKernel } from '../../src/kernel/kernel.ts'

describe('loadKernel', () => {
  it('compiles each variant once a thread, relaxed SIMD where the engine has it', () => {
    expect(loadKernel()).toBe(loadKernel())
    expect(loadKernel({ relaxed: false })).toBe(loadKernel({ relaxed: false }))
    expect(loadKernel().variant).toBe('relaxed-simd')
    expect(loadKernel({ relaxed: false }).variant).toBe('simd')
  })
})

/** exp(m · tanh(q / m)) of each q, through a coupling without inputs: z = 1 · exp(s) + 0. */
function scales(kernel: Kernel, q: readonly number[], maxLogScale: number): Float32Array {
  const dim = q.length
  const bias = new Float32Array(2 * dim)
  bias.set(q)
  const spec: FlowSpec = {
    dim,
    context: NO_CONTEXT,
    base: { kind: 'standard-normal' },
    bijectors: [{ kind: 'affine-coupling', split: 0, hidden: [], maxLogScale }],
  }
  const weights = new Map<string, WeightTensor>([
    ['0.weight.0', { shape: [2 * dim, 0], data: new Float32Array() }],
    ['0.bias.0', { shape: [2 * dim], data: bias }],
  ])
  const scorer = new FlowScorer(kernel, spec, weights)
  const z = scorer.latents(new Float32Array(dim).fill(1), undefined, 1)
  scorer.dispose()
  return z
}

describe.each([true, false])('exp and tanh (relaxed: %s)', (relaxed) => {
  const kernel = loadKernel({ relaxed })
  const q = Array.from({ length: 4001 }, (_, i) => Math.fround((i - 2000) / 100))

  it.each([0.5, 2, 16])('scale as exactly as float32 allows at maxLogScale %d', (maxLogScale) => {
    const z = scales(kernel, q, maxLogScale)
    const ulp = 2 ** -23
    let worst = 0
    q.forEach((value, i) => {
      const s = maxLogScale * Math.tanh(value / maxLogScale)
      worst = Math.max(worst, Math.abs(z[i] / Math.exp(s) - 1) / ulp)
    })
    // s is rounded to float32 once or twice before exp takes its relative error from it, and exp adds under 2 ulp.
    expect(worst).toBeLessThan(2 + 3 * maxLogScale)
  })

  it('saturates without overflow', () => {
    const z = scales(kernel, [-1e30, -1e4, 1e4, 1e30], 2)
    expect(z[0]).toBeCloseTo(Math.exp(-2), 5)
    expect(z[1]).toBeCloseTo(Math.exp(-2), 5)
    expect(z[2]).toBeCloseTo(Math.exp(2), 4)
    expect(z[3]).toBeCloseTo(Math.exp(2), 4)
  })
})
