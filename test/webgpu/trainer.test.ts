import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, it } from 'vitest'
import type { FlowSpec } from '../../src/core/flow-spec.ts'
import { glow, realNvp } from '../../src/flow/architectures.ts'
import { useCpu } from '../../src/flow/engine.ts'
import { initialWeights } from '../../src/flow/weights.ts'
import type { FlowRows } from '../../src/train/augment.ts'
import { type StartedEngine, startEngine } from '../../src/train/engines.ts'
import { fitFlow } from '../../src/train/fit.ts'
import { TfjsTrainer } from '../../src/train/tfjs-trainer.ts'
import { ADAM } from '../../src/train/trainer.ts'
import { told, toy } from '../conformance/trainer-rows.ts'

const context = { numeric: 1, embeddings: [{ levels: 3, width: 2 }] }
const FLOWS: readonly (readonly [name: string, spec: FlowSpec])[] = [
  ['Real NVP', realNvp({ dim: 2, steps: 2, hidden: [8], context })],
  ['Glow', glow({ dim: 2, steps: 2, hidden: [8] })],
]

/**
 * A GPU in software takes a fifth of a second for a step: one step is compared number by number, and one short fit by
 * its held-out NLL. What every trainer promises beyond is in test/conformance/trainer.suite.ts.
 */
describe('training on WebGPU', () => {
  let started: StartedEngine
  beforeAll(async () => {
    await useCpu()
    started = await startEngine('webgpu')
  })
  const both = (spec: FlowSpec) =>
    Promise.all(
      [started.engine, 'cpu'].map((engine) =>
        TfjsTrainer.create({ spec, weights: initialWeights(spec, 1), engine }),
      ),
    )
  const rows = (spec: FlowSpec, count: number, seed: number): FlowRows =>
    spec.context.numeric > 0 ? told(count, seed) : { x: toy(spec.dim, count, seed) }

  it.each(FLOWS)('takes the step of the reference: loss, gradients, log p of %s', async (_, spec) => {
    const [own, reference] = await both(spec)
    const first = rows(spec, 64, 1)
    for (const trainer of [own, reference]) {
      await trainer.initialize(first.x, first.context)
      await trainer.step(first.x, first.context, 1e-2)
    }
    expect(Math.abs((await own.loss()) - (await reference.loss()))).toBeLessThan(1e-4)
    const [got, wanted] = [await own.state(), await reference.state()]
    expect([...got.moment1.keys()]).toEqual([...wanted.moment1.keys()])
    for (const [name, { data }] of wanted.moment1) {
      const gradient = data.map((moment) => moment / (1 - ADAM.beta1))
      const tolerance = 1e-4 * Math.max(1, ...gradient.map(Math.abs))
      got.moment1.get(name)!.data.forEach((moment, i) => {
        const off = Math.abs(moment / (1 - ADAM.beta1) - gradient[i])
        if (!(off <= tolerance)) expect.fail(`∂loss/∂${name}[${i}] is ${off} off ${gradient[i]}`)
      })
    }
    const fresh = rows(spec, 100, 2)
    const expected = await reference.logProb(fresh.x, fresh.context)
    const logProb = await own.logProb(fresh.x, fresh.context)
    logProb.forEach((value, row) => {
      expect(Math.abs(value - expected[row])).toBeLessThan(1e-3 * Math.max(1, Math.abs(expected[row])))
    })
    for (const trainer of [own, reference]) await trainer[Symbol.asyncDispose]()
  })

  it.each(FLOWS)('fits %s to the held-out NLL of the reference', async (_, spec) => {
    const fits = []
    for (const trainer of await both(spec)) {
      const heldOut = rows(spec, 200, 99)
      await trainer.initialize(heldOut.x, heldOut.context)
      const untrained = await trainer.logProb(heldOut.x, heldOut.context)
      const fit = await fitFlow({
        trainer,
        train: rows(spec, 500, 3),
        heldOut,
        noise: { gaussian: new Float32Array(2), uniform: new Float32Array(2) },
        budget: { batch: 64, steps: 16, learningRate: 3e-2, warmup: 3, evaluateEvery: 8, patience: 5 },
        seed: 5,
      })
      const before = -untrained.reduce((sum, v) => sum + v, 0) / untrained.length
      expect(fit.heldOutNll).toBeLessThan(before - 0.2)
      fits.push(fit)
      await trainer[Symbol.asyncDispose]()
    }
    expect(fits.map(({ steps, restarts }) => [steps, restarts])).toEqual([
      [16, 0],
      [16, 0],
    ])
    expect(Math.abs(fits[0].heldOutNll - fits[1].heldOutNll)).toBeLessThan(0.02)
  })

  it('keeps its device when it is started again and memory is collected', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const [, spec] = FLOWS[1]
    for (let flow = 0; flow < 3; flow++) {
      expect(await startEngine('webgpu')).toBe(started)
      await using trainer = await TfjsTrainer.create({
        spec,
        weights: initialWeights(spec, flow),
        engine: started.engine,
      })
      collect()
      await trainer.step(toy(2, 64, flow), undefined, 1e-3)
      expect(await trainer.loss()).toSatisfy(Number.isFinite)
    }
  })
})
