import { beforeAll, describe, expect, it } from 'vitest'
import { type FlowSpec, NO_CONTEXT } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'
import { glow, realNvp } from '../../src/flow/architectures.ts'
import { type Tensor2D, tf, useCpu } from '../../src/flow/engine.ts'
import { Flow } from '../../src/flow/flow.ts'
import { initialWeights } from '../../src/flow/weights.ts'
import { randomisedWeights } from '../conformance/randomised.ts'

const context = { numeric: 1, embeddings: [{ levels: 3, width: 2 }] }

const ARCHITECTURES: readonly (readonly [string, (dim: number, steps: number) => FlowSpec])[] = [
  ['Real NVP with rotations', (dim, steps) => realNvp({ dim, steps, hidden: [8] })],
  ['Real NVP with permutations', (dim, steps) => realNvp({ dim, steps, hidden: [8], mixing: 'permutation' })],
  ['Glow', (dim, steps) => glow({ dim, steps, hidden: [8] })],
]

beforeAll(useCpu)

describe.each(ARCHITECTURES)('%s', (_, architecture) => {
  it('is a density: it sums to 1 over a grid', async () => {
    const spec = architecture(2, 3)
    using flow = Flow.from(spec, randomisedWeights(spec, 5, 0.2))
    const [half, points] = [24, 300]
    const step = (2 * half) / points
    const grid = Float32Array.from({ length: points * points * 2 }, (_, i) => {
      const cell = i % 2 === 0 ? Math.floor(i / 2 / points) : Math.floor(i / 2) % points
      return (cell + 0.5) * step - half
    })
    const density = tf.exp(flow.logProb(tf.tensor2d(grid, [points * points, 2])))
    expect((await tf.sum(density).data())[0] * step * step).toBeCloseTo(1, 2)
  })

  it.each([1, 2, 7, 256])('round trips at dim %d', async (dim) => {
    const spec = architecture(dim, 4)
    using flow = Flow.from(spec, randomisedWeights(spec, 3, 0.2))
    const draw = random(4)
    const x = tf.tensor2d(
      Float32Array.from({ length: 3 * dim }, () => draw.normal()),
      [3, dim],
    )
    const inverse = flow.inverse(x)
    const forward = flow.forward(inverse.value)
    const error = await tf.max(tf.abs(tf.sub(forward.value, x))).data()
    expect(error[0]).toBeLessThan(2e-3)
    const [there, back] = [await inverse.logDet.data(), await forward.logDet.data()]
    const magnitude = await inverse.magnitude.data()
    for (let r = 0; r < 3; r++) {
      expect(Math.abs(there[r] + back[r])).toBeLessThan(1e-4 * (1 + magnitude[r]))
      expect(magnitude[r]).toBeGreaterThanOrEqual(Math.abs(there[r]) * (1 - 1e-5))
    }
  })

  it('gives no NaN for outliers, and ever less density', async () => {
    const spec = architecture(6, 8)
    using flow = Flow.from(spec, randomisedWeights(spec, 8, 0.4))
    const sizes = [1, 1e2, 1e4, 1e6, 1e9]
    const x = tf.tensor2d(
      sizes.flatMap((size) => Array(6).fill(size)),
      [sizes.length, 6],
    )
    const logProb = [...(await flow.logProb(x).data())]
    expect(logProb.every(Number.isFinite)).toBe(true)
    expect(logProb).toEqual([...logProb].sort((a, b) => b - a))
  })

  it('samples what its density says: the same seed the same rows, standard normal at the start', async () => {
    const spec = architecture(3, 4)
    using flow = Flow.from(spec, initialWeights(spec, 1))
    const sample = flow.sample(4000, random(6))
    expect(await sample.data()).toEqual(await flow.sample(4000, random(6)).data())
    expect(await sample.data()).not.toEqual(await flow.sample(4000, random(7)).data())
    const { mean, variance } = tf.moments(sample, 0)
    for (const value of await mean.data()) expect(Math.abs(value)).toBeLessThan(0.06)
    for (const value of await variance.data()) expect(Math.abs(value - 1)).toBeLessThan(0.1)
  })

  it('reaches the entropy of its own samples', async () => {
    const spec = architecture(2, 3)
    using flow = Flow.from(spec, randomisedWeights(spec, 2, 0.4))
    const drawn = flow.sample(2000, random(3))
    const { value, logDet } = flow.inverse(drawn)
    const { mean, variance } = tf.moments(value, 0)
    for (const m of await mean.data()) expect(Math.abs(m)).toBeLessThan(0.08)
    for (const v of await variance.data()) expect(Math.abs(v - 1)).toBeLessThan(0.12)
    expect((await logDet.data()).every(Number.isFinite)).toBe(true)
  })
})

describe('a flow with context', () => {
  it.each([
    ['Real NVP', realNvp({ dim: 4, steps: 3, hidden: [8], context })],
    ['Glow', glow({ dim: 4, steps: 3, hidden: [8], context })],
    ['one dimension', realNvp({ dim: 1, steps: 2, hidden: [8], context })],
  ])('conditions every coupling: %s', async (_, spec) => {
    using flow = Flow.from(spec, randomisedWeights(spec, 5))
    const x = tf.tensor2d([0.3, -0.2, 0.8, 0.1].slice(0, spec.dim), [1, spec.dim])
    const row = tf.tensor2d([[0.7, 2]])
    const trained = flow.variables.map((v) => v.variable)
    const { grads } = tf.variableGrads(() => tf.sum(flow.logProb(x, row)) as tf.Scalar, trained)
    const width = 3
    for (const [i, bijector] of spec.bijectors.entries()) {
      if (bijector.kind !== 'affine-coupling') continue
      const { variable } = flow.variables.find((v) => v.name === `${i}.weight.0`)!
      const gradient = grads[variable.name] as Tensor2D
      for (let c = gradient.shape[1] - width; c < gradient.shape[1]; c++) {
        const column = tf.slice(gradient, [0, c], [gradient.shape[0], 1])
        expect((await tf.max(tf.abs(column)).data())[0]).toBeGreaterThan(0)
      }
    }
    const table = flow.variables.find((v) => v.name === 'context.embedding.0')!
    const perLevel = [...(await tf.sum(tf.abs(grads[table.variable.name]), 1).data())]
    expect(perLevel.map((g) => g > 0)).toEqual([false, false, true])
  })

  it('reads embeddings by code, and sums their gradient over the rows that share one', async () => {
    const spec = realNvp({ dim: 2, steps: 2, hidden: [8], context })
    using flow = Flow.from(spec, randomisedWeights(spec, 9))
    const x = tf.tensor2d([[0.1, 0.2]])
    const table = flow.variables.find((v) => v.name === 'context.embedding.0')!.variable
    const gradientOf = async (codes: readonly number[]) => {
      const rows = tf.tile(x, [codes.length, 1]) as Tensor2D
      const contexts = tf.tensor2d(codes.map((code) => [0.5, code]))
      const { grads } = tf.variableGrads(() => tf.sum(flow.logProb(rows, contexts)) as tf.Scalar, [table])
      return [...(await grads[table.name].data())]
    }
    const once = await gradientOf([1])
    const thrice = await gradientOf([1, 1, 1])
    for (let i = 0; i < once.length; i++) expect(thrice[i]).toBeCloseTo(3 * once[i], 4)
  })

  it('refuses a batch without its context', () => {
    const spec = realNvp({ dim: 2, steps: 1, context })
    using flow = Flow.from(spec, initialWeights(spec, 1))
    expect(() => flow.logProb(tf.zeros([1, 2]))).toThrow('context must have 2 columns, not none')
  })
})

describe('a flow', () => {
  it('starts from data: the latents of the sample have unit moments', async () => {
    const spec = glow({ dim: 3, steps: 3, hidden: [8] })
    using flow = Flow.from(spec, initialWeights(spec, 2))
    const draw = random(1)
    const x = tf.tensor2d(
      Float32Array.from({ length: 900 }, (_, i) => 7 * draw.normal() + (i % 3)),
      [300, 3],
    )
    flow.initialize(x)
    const { mean, variance } = tf.moments(flow.inverse(x).value, 0)
    for (const value of await mean.data()) expect(Math.abs(value)).toBeLessThan(0.05)
    for (const value of await variance.data()) expect(Math.abs(value - 1)).toBeLessThan(0.1)
  })

  it('gives back the weights it was made from, as copies', async () => {
    const spec = realNvp({ dim: 1, steps: 2, context: NO_CONTEXT })
    const weights = randomisedWeights(spec, 4)
    using flow = Flow.from(spec, weights)
    const copy = await flow.toWeights()
    expect(copy).toEqual(weights)
    copy.get('0.bias')!.data[0] += 1
    expect(await flow.toWeights()).toEqual(weights)
  })

  it('frees every tensor it made', () => {
    const spec = glow({ dim: 4, steps: 2, context })
    const before = tf.memory().numTensors
    const flow = Flow.from(spec, initialWeights(spec, 1))
    tf.tidy(() => {
      flow.logProb(tf.zeros([2, 4]), tf.zeros([2, 2]))
    })
    flow[Symbol.dispose]()
    expect(tf.memory().numTensors).toBe(before)
  })
})
