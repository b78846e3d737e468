import { describe, expect, it } from 'vitest'
import type { FlowSpec, FlowWeights, Matrix, WeightTensor } from '../../src/core/flow-spec.ts'
import { contextColumns } from '../../src/core/flow-spec.ts'
import { loadKernel } from '../../src/kernel/kernel.ts'
import { KernelTrainer } from '../../src/train/kernel-trainer.ts'
import { trainerSuite } from '../conformance/trainer.suite.ts'
import { randomFlow, randomRecords, steps } from '../kernel/random-flow.ts'
import { referenceScore } from '../kernel/reference.ts'

function matrices(spec: FlowSpec, rows: number, seed: number): { x: Matrix; context: Matrix } {
  const { x, context } = randomRecords(spec, rows, seed)
  const columns = contextColumns(spec.context)
  return { x: { rows, columns: spec.dim, data: x }, context: { rows, columns, data: context } }
}

function meanLoss(spec: FlowSpec, weights: FlowWeights, x: Matrix, context: Matrix): number {
  let sum = 0
  for (let r = 0; r < x.rows; r++) sum -= referenceScore(spec, weights, x.data, context.data, r).logProb
  return sum / x.rows
}

/** Without momentum, the first moment after one step is the gradient. */
async function gradients(spec: FlowSpec, weights: FlowWeights, x: Matrix, context: Matrix, threads: number) {
  const adam = { beta1: 0, beta2: 0.999, epsilon: 1e-8, clipNorm: Infinity }
  const trainer = KernelTrainer.create(spec, weights, { adam, threads })
  await trainer.step(x, context, 1e-3)
  const { moment1 } = await trainer.state()
  const loss = await trainer.loss()
  await trainer[Symbol.asyncDispose]()
  return { gradient: moment1, loss }
}

function shifted(weights: FlowWeights, name: string, index: number, by: number): FlowWeights {
  const { shape, data } = weights.get(name)!
  const copy: WeightTensor = { shape, data: data.slice() }
  copy.data[index] += by
  return new Map(weights).set(name, copy)
}

describe('KernelTrainer gradients', () => {
  const context = {
    numeric: 2,
    embeddings: [
      { levels: 4, width: 3 },
      { levels: 2, width: 1 },
    ],
  }
  const bijectors = [
    ...steps('glow', 7, 1, [9, 6]),
    { kind: 'permutation', order: [3, 1, 0, 6, 5, 2, 4] },
    ...steps('real-nvp', 7, 1, [10]),
    { kind: 'affine-coupling', split: 0, hidden: [], maxLogScale: 1.5 },
    { kind: 'affine-coupling', split: 6, hidden: [5], maxLogScale: 3 },
  ] as const
  const { spec, weights } = randomFlow(7, bijectors, 11, context)
  const { x, context: c } = matrices(spec, 77, 5)

  const probes = (length: number): number[] => [0, length >> 2, length >> 1, length - 1]

  const slope = (name: string, index: number): number => {
    const up = shifted(weights, name, index, 1e-3)
    const down = shifted(weights, name, index, -1e-3)
    const width = up.get(name)!.data[index] - down.get(name)!.data[index]
    return (meanLoss(spec, up, x, c) - meanLoss(spec, down, x, c)) / width
  }

  it('are those of finite differences for every kind of tensor', async () => {
    const { gradient, loss } = await gradients(spec, weights, x, c, 0)
    expect(loss).toBeCloseTo(meanLoss(spec, weights, x, c), 4)
    for (const [name, { data }] of gradient)
      for (const index of probes(data.length)) {
        const wanted = slope(name, index)
        const error = Math.abs(data[index] - wanted) / Math.max(0.1, Math.abs(wanted))
        if (!(error < 1e-2)) expect.fail(`${name}[${index}]: ${data[index]}, differences give ${wanted}`)
      }
  })

  it.each([1, 2, 3])('are the same, summed by %i threads', async (threads) => {
    const alone = await gradients(spec, weights, x, c, 0)
    const shared = await gradients(spec, weights, x, c, threads)
    expect(shared.loss).toBeCloseTo(alone.loss, 5)
    for (const [name, { data }] of alone.gradient) {
      const other = shared.gradient.get(name)!.data
      data.forEach((g, i) => {
        if (!(Math.abs(g - other[i]) <= 1e-4 * Math.max(1, Math.abs(g)))) expect.fail(`${name}[${i}]`)
        if (threads === 1) expect(other[i]).toBe(g)
      })
    }
  })
})

for (const threads of [0, 2])
  trainerSuite(`kernel (${threads} threads)`, async (spec, weights, adam) =>
    KernelTrainer.create(spec, weights, { adam, threads }),
  )

describe('KernelTrainer', () => {
  const { spec, weights } = randomFlow(5, steps('glow', 5, 3, [16]), 3)
  const { x } = matrices(spec, 64, 8)

  it('hands numbers that no map reads back as they came', async () => {
    const trainer = KernelTrainer.create(spec, weights)
    await trainer.step(x, undefined, 1e-2)
    const { weights: trained, moment1 } = await trainer.state()
    const [before, after] = [weights.get('1.upper')!.data, trained.get('1.upper')!.data]
    expect(after[5]).toBe(before[5])
    expect(after[1]).not.toBe(before[1])
    expect(moment1.get('1.upper')!.data[5]).toBe(0)
    expect(trained.get('1.permutation')).toEqual(weights.get('1.permutation'))
    await trainer[Symbol.asyncDispose]()
  })

  it('takes overlapping calls in turn', async () => {
    const [one, other] = [0, 2].map((threads) => KernelTrainer.create(spec, weights, { threads }))
    for (const trainer of [one, other]) {
      const steps = [1e-3, 2e-3, 3e-3].map((rate) => trainer.step(x, undefined, rate))
      const [state] = await Promise.all([trainer.state(), ...steps])
      expect(state.step).toBe(3)
      await trainer[Symbol.asyncDispose]()
    }
  })

  it('gives its memory back', async () => {
    const { arena } = loadKernel()
    const before = arena.used
    const trainer = KernelTrainer.create(spec, weights, { threads: 1 })
    await trainer.step(x, undefined, 1e-3)
    await trainer[Symbol.asyncDispose]()
    await trainer[Symbol.asyncDispose]()
    expect(arena.used).toBe(before)
    await expect(trainer.loss()).rejects.toThrow(/disposed/)
  })

  it('refuses what it cannot use', async () => {
    expect(() => KernelTrainer.create(spec, weights, { threads: -1 })).toThrow(/threads is -1/)
    expect(() => KernelTrainer.create(spec, new Map())).toThrow(/lack 0\.log_scale/)
    const trainer = KernelTrainer.create(spec, weights)
    const none = { rows: 0, columns: 5, data: new Float32Array() }
    await expect(trainer.step(none, undefined, 1)).rejects.toThrow(/at least one row/)
    await trainer[Symbol.asyncDispose]()
  })
})
