import { beforeAll, describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import type { FlowSpec, FlowWeights, Matrix } from '../../src/core/flow-spec.ts'
import { glow, realNvp } from '../../src/flow/architectures.ts'
import { tf, useCpu } from '../../src/flow/engine.ts'
import { Flow } from '../../src/flow/flow.ts'
import { initialWeights } from '../../src/flow/weights.ts'
import { TfjsTrainer } from '../../src/train/tfjs-trainer.ts'
import { ADAM, type AdamOptions, type FlowTrainer, type TrainerState } from '../../src/train/trainer.ts'
import { told, toy } from './trainer-rows.ts'

export type CreateTrainer = (spec: FlowSpec, weights: FlowWeights, adam: AdamOptions) => Promise<FlowTrainer>

const SPECS: readonly (readonly [name: string, spec: FlowSpec])[] = [
  ['Real NVP with rotations', realNvp({ dim: 3, steps: 3, hidden: [12, 8] })],
  ['Real NVP with permutations', realNvp({ dim: 3, steps: 3, hidden: [12], mixing: 'permutation' })],
  ['Glow', glow({ dim: 3, steps: 3, hidden: [12, 8] })],
  ['one dimension', glow({ dim: 1, steps: 2, hidden: [6] })],
]

/** What every trainer promises, whatever computes it; tfjs's plain JavaScript backend is the reference. */
export function trainerSuite(name: string, create: CreateTrainer): void {
  const started = async (spec: FlowSpec, adam: AdamOptions = ADAM) => {
    const trainer = await create(spec, initialWeights(spec, 1), adam)
    await trainer.initialize(toy(spec.dim, 256, 1))
    return trainer
  }

  describe(`trainer ${name}`, () => {
    beforeAll(useCpu)

    describe.each(SPECS)('%s', (_, spec) => {
      it('starts with unit moments behind every actnorm', async () => {
        await using trainer = await create(spec, initialWeights(spec, 1), ADAM)
        const sample = toy(spec.dim, 300, 2)
        await trainer.initialize(sample)
        const { weights } = await trainer.state()
        for (const [i, { kind }] of spec.bijectors.entries()) {
          if (kind !== 'actnorm') continue
          const { mean, variance } = await momentsBehind(spec, weights, i + 1, sample)
          for (const value of mean) expect(value).toBeCloseTo(0, 3)
          for (const value of variance) expect(value).toBeCloseTo(1, 3)
        }
      })

      it('learns: the loss falls on a toy', async () => {
        await using trainer = await create(spec, initialWeights(spec, 1), ADAM)
        const held = toy(spec.dim, 500, 99)
        const before = meanNll(await trainer.logProb(held))
        for (let i = 0; i < 60; i++) await trainer.step(toy(spec.dim, 64, i + 10), undefined, 1e-2)
        const after = meanNll(await trainer.logProb(held))
        expect(after).toBeLessThan(before - 0.1)
        expect(await trainer.loss()).toBeLessThan(before)
      })

      it('follows the reference from the same start', async () => {
        await using trainer = await started(spec)
        await using reference = await TfjsTrainer.create({
          spec,
          weights: initialWeights(spec, 1),
          engine: 'cpu',
        })
        await reference.initialize(toy(spec.dim, 256, 1))
        for (let i = 0; i < 12; i++) {
          const batch = toy(spec.dim, 37, i)
          for (const each of [trainer, reference]) await each.step(batch, undefined, 3e-3)
          expect(Math.abs((await trainer.loss()) - (await reference.loss()))).toBeLessThan(1e-3)
        }
        const [own, wanted] = [await trainer.state(), await reference.state()]
        expect([...own.weights.keys()].sort()).toEqual([...wanted.weights.keys()].sort())
        expect([...own.moment1.keys()].sort()).toEqual([...wanted.moment1.keys()].sort())
        expect(own.step).toBe(wanted.step)
      })

      it('scores any number of rows like the reference', async () => {
        await using trainer = await started(spec)
        await trainer.step(toy(spec.dim, 64, 4), undefined, 1e-2)
        const { weights } = await trainer.state()
        await using reference = await TfjsTrainer.create({ spec, weights, engine: 'cpu' })
        for (const rows of [1, 5, 300]) {
          const x = toy(spec.dim, rows, rows)
          const [own, wanted] = [await trainer.logProb(x), await reference.logProb(x)]
          expect(own.length).toBe(rows)
          for (let r = 0; r < rows; r++)
            expect(Math.abs(own[r] - wanted[r])).toBeLessThan(1e-4 * Math.max(1, Math.abs(wanted[r])))
        }
      })

      it('continues a saved state to the same result, in another trainer too', async () => {
        await using straight = await started(spec)
        await using resumed = await create(spec, initialWeights(spec, 7), ADAM)
        const go = async (trainer: FlowTrainer, from: number, to: number) => {
          for (let i = from; i < to; i++) await trainer.step(toy(spec.dim, 32, i), undefined, 3e-3)
        }
        await go(straight, 0, 5)
        await resumed.restore(await straight.state())
        await go(straight, 5, 10)
        await go(resumed, 5, 10)
        expectSameState(await resumed.state(), await straight.state())
      })
    })

    const spec = realNvp({ dim: 2, steps: 2, hidden: [8] })

    it('gives the same result for the same start and batches', async () => {
      const runs: TrainerState[] = []
      for (let run = 0; run < 2; run++) {
        await using trainer = await started(spec)
        for (let i = 0; i < 5; i++) await trainer.step(toy(2, 48, i), undefined, 1e-3)
        runs.push(await trainer.state())
      }
      expectSameState(runs[0], runs[1])
    })

    it('steps by Adam as written: p − rate · m̂ / (√v̂ + ε)', async () => {
      await using trainer = await started(spec)
      await trainer.step(toy(2, 64, 1), undefined, 1e-3)
      const before = await trainer.state()
      await trainer.step(toy(2, 64, 2), undefined, 2e-3)
      const after = await trainer.state()
      expect(after.step).toBe(2)
      for (const [key, { data: m }] of after.moment1) {
        const v = after.moment2.get(key)!.data
        m.forEach((moment, i) => {
          const change =
            (2e-3 * (moment / (1 - ADAM.beta1 ** 2))) /
            (Math.sqrt(v[i] / (1 - ADAM.beta2 ** 2)) + ADAM.epsilon)
          const moved = after.weights.get(key)!.data[i] - before.weights.get(key)!.data[i]
          expect(Math.abs(moved + change)).toBeLessThan(2e-6)
        })
      }
    })

    it('clips the global norm of the gradient', async () => {
      const norms = await Promise.all(
        [Number.POSITIVE_INFINITY, 0.01].map(async (clipNorm) => {
          await using trainer = await started(spec, { ...ADAM, clipNorm })
          const far = toy(2, 64, 3)
          await trainer.step({ ...far, data: far.data.map((v) => 20 * v) }, undefined, 1e-3)
          const { moment1 } = await trainer.state()
          const squares = [...moment1.values()].flatMap(({ data }) => [...data].map((m) => m * m))
          return Math.sqrt(squares.reduce((a, b) => a + b, 0)) / (1 - ADAM.beta1)
        }),
      )
      expect(norms[0]).toBeGreaterThan(1)
      expect(norms[1]).toBeCloseTo(0.01, 5)
    })

    it.each([Number.NaN, Number.POSITIVE_INFINITY])(
      'survives a batch with %d: unchanged, and says so',
      async (bad) => {
        await using trainer = await started(spec)
        await trainer.step(toy(2, 64, 1), undefined, 1e-3)
        const before = await trainer.state()
        const batch = toy(2, 64, 2)
        batch.data[17] = bad
        await trainer.step(batch, undefined, 1e-3)
        expect(await trainer.loss()).toBeNaN()
        expectSameState(await trainer.state(), before)
        await trainer.step(toy(2, 64, 3), undefined, 1e-3)
        expect(await trainer.loss()).toSatisfy(Number.isFinite)
      },
    )

    it('keeps nothing of a batch once its step is done', async () => {
      await using trainer = await started(spec)
      await using other = await started(spec)
      const reused = toy(2, 64, 1)
      for (let i = 0; i < 3; i++) {
        reused.data.set(toy(2, 64, i).data)
        await trainer.step(reused, undefined, 1e-3)
        reused.data.fill(1e9)
        await other.step(toy(2, 64, i), undefined, 1e-3)
      }
      expectSameState(await trainer.state(), await other.state())
    })

    it('learns what a context says, embeddings included', async () => {
      const context = { numeric: 1, embeddings: [{ levels: 3, width: 2 }] }
      const conditioned = realNvp({ dim: 2, steps: 3, hidden: [12], context })
      await using trainer = await create(conditioned, initialWeights(conditioned, 1), ADAM)
      const first = told(256, 1)
      await trainer.initialize(first.x, first.context)
      const held = told(500, 99)
      const before = meanNll(await trainer.logProb(held.x, held.context))
      for (let i = 0; i < 120; i++) {
        const { x, context } = told(64, i + 10)
        await trainer.step(x, context, 1e-2)
      }
      const after = meanNll(await trainer.logProb(held.x, held.context))
      expect(after).toBeLessThan(before - 0.5)
      const { moment2 } = await trainer.state()
      expect(moment2.get('context.embedding.0')!.data.every((v) => v > 0)).toBe(true)
    })

    it('refuses what it cannot start from, or read', async () => {
      await using trainer = await create(spec, initialWeights(spec, 1), ADAM)
      await expect(trainer.initialize(toy(2, 1, 1))).rejects.toSatisfy((e) =>
        isSurprisalError(e, 'DATA_INSUFFICIENT'),
      )
      await expect(trainer.step(toy(3, 8, 1), undefined, 1e-3)).rejects.toSatisfy((e) =>
        isSurprisalError(e, 'SCHEMA_MISMATCH'),
      )
    })
  })
}

async function momentsBehind(spec: FlowSpec, weights: FlowWeights, count: number, x: Matrix) {
  const part: FlowSpec = { ...spec, bijectors: spec.bijectors.slice(0, count) }
  using flow = Flow.from(part, new Map([...weights].filter(([name]) => Number(name.split('.')[0]) < count)))
  const { mean, variance } = tf.moments(flow.inverse(tf.tensor2d(x.data, [x.rows, x.columns])).value, 0)
  return { mean: await mean.data(), variance: await variance.data() }
}

function meanNll(logProb: Float64Array): number {
  return -logProb.reduce((sum, v) => sum + v, 0) / logProb.length
}

function expectSameState(actual: TrainerState, wanted: TrainerState): void {
  expect(actual.step).toBe(wanted.step)
  for (const part of ['weights', 'moment1', 'moment2'] as const) {
    expect([...actual[part].keys()].sort()).toEqual([...wanted[part].keys()].sort())
    for (const [name, { data }] of wanted[part]) expect(actual[part].get(name)!.data, name).toEqual(data)
  }
}
