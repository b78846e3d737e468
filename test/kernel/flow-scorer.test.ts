import { describe, expect, it } from 'vitest'
import { FlowScorer } from '../../src/kernel/flow-scorer.ts'
import { loadKernel } from '../../src/kernel/kernel.ts'
import { executorSuite } from '../conformance/executor.suite.ts'
import { randomFlow, randomRecords, steps } from './random-flow.ts'

for (const relaxed of [true, false]) {
  const kernel = loadKernel({ relaxed })
  executorSuite(`kernel (${kernel.variant})`, (spec, weights) => new FlowScorer(kernel, spec, weights), {
    exactRows: true,
    runs: 150,
  })
}

describe('FlowScorer', () => {
  const kernel = loadKernel()

  it('takes more rows than its buffers hold', () => {
    const { spec, weights } = randomFlow(3, steps('real-nvp', 3, 2, [8]), 4)
    const scorer = new FlowScorer(kernel, spec, weights)
    const rows = 65_536
    const { x, context } = randomRecords(spec, rows, 1)
    const all = scorer.logProb(x, context, rows)
    const tail = scorer.logProb(x.subarray((rows - 5) * 3), undefined, 5)
    expect([...all.subarray(rows - 5)]).toEqual([...tail])
    scorer.dispose()
  })

  it('marks context that is not finite or names no level', () => {
    const context = { numeric: 1, embeddings: [{ levels: 3, width: 2 }] }
    const { spec, weights } = randomFlow(4, steps('glow', 4, 2, [8]), 4, context)
    const scorer = new FlowScorer(kernel, spec, weights)
    const x = new Float32Array(4)
    expect(scorer.logProb(x, new Float32Array([0.5, 2]), 1)[0]).toBeGreaterThan(-1e3)
    for (const row of [
      [-Infinity, 0],
      [Number.NaN, 0],
      [0, 3],
      [0, -1],
      [0, Number.NaN],
      [0, 1e30],
    ])
      expect(scorer.logProb(x, new Float32Array(row), 1)[0]).toBeNaN()
    scorer.dispose()
  })

  it('shares one memory among flows and gives it back', () => {
    const before = kernel.arena.used
    const flows = [3, 5, 9].map((dim) => randomFlow(dim, steps('glow', dim, 2, [8]), dim))
    const scorers = flows.map(({ spec, weights }) => new FlowScorer(kernel, spec, weights))
    const inputs = flows.map(({ spec }) => randomRecords(spec, 20, 1))
    const first = scorers.map((s, i) => s.logProb(inputs[i].x, undefined, 20))
    scorers[1].dispose()
    scorers[1].dispose()
    expect(scorers[0].logProb(inputs[0].x, undefined, 20)).toEqual(first[0])
    expect(scorers[2].logProb(inputs[2].x, undefined, 20)).toEqual(first[2])
    scorers[0].dispose()
    scorers[2].dispose()
    expect(kernel.arena.used).toBe(before)
    expect(() => scorers[0].logProb(inputs[0].x, undefined, 20)).toThrow(/disposed/)
  })

  it('refuses weights that do not fit the spec, and inputs that are too short', () => {
    const { spec, weights } = randomFlow(3, steps('glow', 3, 1, [8]), 1)
    const lacking = new Map(weights)
    lacking.delete('1.lower')
    expect(() => new FlowScorer(kernel, spec, lacking)).toThrow(/lack 1\.lower/)
    const wrong = new Map(weights).set('1.lower', { shape: [2, 3], data: new Float32Array(6) })
    expect(() => new FlowScorer(kernel, spec, wrong)).toThrow(/1\.lower has shape \[2,3\]/)
    const scorer = new FlowScorer(kernel, spec, weights)
    expect(() => scorer.logProb(new Float32Array(5), undefined, 2)).toThrow(/2 rows need 6 values/)
    scorer.dispose()
  })
})
