import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import { glow } from '../../src/flow/architectures.ts'
import { tf, useCpu } from '../../src/flow/engine.ts'
import { initialWeights } from '../../src/flow/weights.ts'
import { TfjsTrainer } from '../../src/train/tfjs-trainer.ts'
import { trainerSuite } from '../conformance/trainer.suite.ts'

trainerSuite('tfjs-cpu', (spec, weights, adam) => TfjsTrainer.create({ spec, weights, adam, engine: 'cpu' }))

describe('TfjsTrainer', () => {
  const spec = glow({ dim: 2, steps: 2, hidden: [4] })
  const weights = initialWeights(spec, 1)
  const batch = { rows: 3, columns: 2, data: Float32Array.of(0.1, 0.2, -0.4, 1, 2, -1) }

  it('holds no tensors that it does not need', async () => {
    await useCpu()
    const outside = tf.memory().numTensors
    const trainer = await TfjsTrainer.create({ spec, weights, engine: 'cpu' })
    const inside = tf.memory().numTensors
    await trainer.initialize(batch)
    for (let i = 0; i < 3; i++) await trainer.step(batch, undefined, 1e-3)
    await trainer.step({ ...batch, data: batch.data.map(() => Number.NaN) }, undefined, 1e-3)
    await trainer.logProb(batch)
    await trainer.restore(await trainer.state())
    expect(tf.memory().numTensors).toBe(inside)
    await trainer[Symbol.asyncDispose]()
    expect(tf.memory().numTensors).toBe(outside)
  })

  it('scores more rows than it takes at once in their order', async () => {
    await using trainer = await TfjsTrainer.create({ spec, weights, engine: 'cpu' })
    const rows = 4100
    const data = Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i))
    const whole = await trainer.logProb({ rows, columns: 2, data })
    const tail = await trainer.logProb({ rows: 10, columns: 2, data: data.subarray(2 * (rows - 10)) })
    expect(whole.subarray(rows - 10)).toEqual(tail)
  })

  it('refuses a backend that is not there', async () => {
    await expect(TfjsTrainer.create({ spec, weights, engine: 'abacus' })).rejects.toSatisfy((error) =>
      isSurprisalError(error, 'BACKEND_UNAVAILABLE'),
    )
  })

  it('refuses optimiser state of another flow', async () => {
    await useCpu()
    await using trainer = await TfjsTrainer.create({ spec, weights, engine: 'cpu' })
    const state = await trainer.state()
    const moment1 = new Map(state.moment1)
    moment1.delete('0.bias')
    await expect(trainer.restore({ ...state, moment1 })).rejects.toThrow(
      "no numbers for '0.bias', the flow 2",
    )
  })
})
