import { describe, expect, it } from 'vitest'
import type { FlowWeights } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'
import type { FlowRows } from '../../src/train/augment.ts'
import { type FitOptions, fitFlow } from '../../src/train/fit.ts'
import type { Budget } from '../../src/train/schedule.ts'
import { DiagonalGaussian } from './diagonal-gaussian.ts'

const budget: Budget = {
  batch: 16,
  steps: 200,
  learningRate: 0.01,
  warmup: 10,
  evaluateEvery: 20,
  patience: 50,
}
const brief: Budget = { ...budget, steps: 40, learningRate: 0.003 }

function normals(rows: number, seed: number): FlowRows {
  const rng = random(seed)
  const data = Float32Array.from({ length: rows }, () => 3 + 0.5 * rng.normal())
  return { x: { rows, columns: 1, data } }
}
const knowing = (mean: number, scale: number): FlowWeights =>
  new Map([
    ['mean', { shape: [1], data: Float32Array.of(mean) }],
    ['log_scale', { shape: [1], data: Float32Array.of(Math.log(scale)) }],
  ])
const base = (): FitOptions => ({
  trainer: new DiagonalGaussian(1),
  train: normals(300, 1),
  heldOut: normals(400, 2),
  noise: { gaussian: new Float32Array(1), uniform: new Float32Array(1) },
  budget,
  seed: 7,
})
const afresh = () => fitFlow(base())
const fitted = (candidates: readonly FlowWeights[], over: Partial<FitOptions> = {}) =>
  fitFlow({ ...base(), warm: { candidates, budget: brief }, ...over })

describe('a fit with weights to go on from', () => {
  it('takes those that fit best and reaches what a fresh one reaches, in fewer steps', async () => {
    const [warm, fresh] = await Promise.all([fitted([knowing(2, 0.5), knowing(3, 0.52)]), afresh()])
    expect(warm.start.candidate).toBe(1)
    expect(warm.start.nll).toBeLessThan(warm.start.freshNll)
    expect(warm.start).not.toHaveProperty('fell')
    expect(warm.steps).toBe(brief.steps)
    expect(warm.heldOutNll).toBeLessThan(fresh.heldOutNll + 0.01)
    expect(fresh.start).toEqual({ candidate: null, nll: warm.start.freshNll, freshNll: warm.start.freshNll })
  })

  it('is the fresh one, bit for bit, where they fit worse than no knowledge', async () => {
    const [warm, fresh] = await Promise.all([fitted([knowing(-40, 0.1)]), afresh()])
    expect(warm.start).toEqual(fresh.start)
    expect(warm.weights).toEqual(fresh.weights)
    expect(warm.steps).toBe(fresh.steps)
  })

  it('is the fresh one, bit for bit, where some steps take much off: the records have moved away', async () => {
    const [warm, fresh] = await Promise.all([fitted([knowing(1.5, 0.9)]), afresh()])
    expect(warm.start.candidate).toBeNull()
    expect(warm.start.nll).toBeLessThan(warm.start.freshNll)
    expect(warm.start.fell).toBeGreaterThan(0.05)
    expect(warm.weights).toEqual(fresh.weights)
    expect(warm.heldOutNll).toBe(fresh.heldOutNll)
  })

  it('goes on from its checkpoint to the same end, and refuses that of other weights', async () => {
    const saved: Uint8Array[] = []
    const candidates = [knowing(3, 0.52)]
    const whole = await fitted(candidates, { onCheckpoint: (bytes) => saved.push(bytes) })
    const resumed = await fitted(candidates, { resume: saved[0] })
    const { seconds: _, ...outcome } = whole
    expect(resumed).toMatchObject(outcome)
    await expect(fitted([knowing(3, 0.53)], { resume: saved[0] })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    })
  })
})
