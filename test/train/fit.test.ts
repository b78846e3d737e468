import { describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import { random } from '../../src/core/random.ts'
import type { FlowRows, Noise } from '../../src/train/augment.ts'
import { type FitOptions, type FitProgress, fitFlow } from '../../src/train/fit.ts'
import type { Budget } from '../../src/train/schedule.ts'
import { DiagonalGaussian } from './diagonal-gaussian.ts'

const DIM = 2
const QUIET: Noise = { gaussian: new Float32Array(DIM), uniform: new Float32Array(DIM) }
const BUDGET: Budget = {
  batch: 16,
  steps: 200,
  learningRate: 0.01,
  warmup: 10,
  evaluateEvery: 20,
  patience: 50,
}

function normals(rows: number, seed: number, mean = 3, scale = 0.5): FlowRows {
  const rng = random(seed)
  return {
    x: {
      rows,
      columns: DIM,
      data: Float32Array.from({ length: rows * DIM }, () => mean + scale * rng.normal()),
    },
  }
}
function options(over: Partial<FitOptions> = {}): FitOptions {
  return {
    trainer: new DiagonalGaussian(DIM),
    train: normals(300, 1),
    heldOut: normals(100, 2),
    noise: QUIET,
    budget: BUDGET,
    seed: 7,
    ...over,
  }
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('fitFlow', () => {
  it('comes within 0.05 nats of the entropy and keeps the best weights', async () => {
    const seen: FitProgress[] = []
    const fit = await fitFlow(options({ heldOut: normals(5000, 2), onProgress: (p) => seen.push(p) }))
    const entropy = DIM * (0.5 * Math.log(2 * Math.PI * Math.E) + Math.log(0.5))
    expect(fit.heldOutNll).toBeCloseTo(entropy, 1)
    expect(fit.weights.get('mean')!.data[0]).toBeCloseTo(3, 1)
    expect(fit.heldOutNll).toBe(Math.min(...seen.map((p) => p.heldOutNll)))
    expect(seen.map((p) => p.step)).toEqual([20, 40, 60, 80, 100, 120, 140, 160, 180, 200])
    expect(seen.at(-1)!.secondsLeft).toBe(0)
  })

  it('gives the same bits for the same seed and others for another', async () => {
    const [a, b, c] = await Promise.all(
      [7, 7, 8].map((seed) => fitFlow(options({ seed, trainer: new DiagonalGaussian(DIM) }))),
    )
    expect(a.weights).toEqual(b.weights)
    expect(a.weights).not.toEqual(c.weights)
  })

  it('resumes from any checkpoint to the same bits', async () => {
    const noise = { gaussian: new Float32Array(DIM).fill(0.05), uniform: new Float32Array(DIM).fill(0.1) }
    const checkpoints: Uint8Array[] = []
    const whole = await fitFlow(options({ noise, onCheckpoint: (bytes) => checkpoints.push(bytes.slice()) }))
    expect(checkpoints).toHaveLength(10)
    for (const resume of checkpoints) {
      const { weights, heldOutNll, bestStep, steps } = await fitFlow(options({ noise, resume }))
      expect({ weights, heldOutNll, bestStep, steps }).toEqual({
        weights: whole.weights,
        heldOutNll: whole.heldOutNll,
        bestStep: whole.bestStep,
        steps: whole.steps,
      })
    }
  })

  it('refuses a checkpoint of another fit', async () => {
    let resume: Uint8Array | undefined
    await fitFlow(options({ onCheckpoint: (bytes) => (resume = bytes) }))
    const error = await failure(fitFlow(options({ resume, train: normals(300, 5) })))
    expect(isSurprisalError(error, 'MODEL_INVALID')).toBe(true)
  })

  it('halves the rate and goes back when the loss is not finite', async () => {
    const trainer = new DiagonalGaussian(DIM, (call) => call === 70)
    const fit = await fitFlow(options({ trainer }))
    expect(fit.restarts).toBe(1)
    expect(fit.steps).toBe(200)
    expect(trainer.rates[80]).toBeCloseTo(trainer.rates[60] / 2, 12)
    expect(fit.weights.get('mean')!.data.every(Number.isFinite)).toBe(true)
  })

  it('gives up when it diverges again and again', async () => {
    const error = await failure(fitFlow(options({ trainer: new DiagonalGaussian(DIM, () => true) })))
    expect(isSurprisalError(error, 'TRAINING_DIVERGED')).toBe(true)
    expect((error as Error).message).toContain('step 20')
  })

  it('stops early once the held-out loss gets no better', async () => {
    const fit = await fitFlow(options({ heldOut: normals(100, 2, -3), budget: { ...BUDGET, patience: 2 } }))
    expect(fit.steps).toBeLessThan(200)
    expect(fit.bestStep).toBe(fit.steps - 40)
  })

  it('stops on request', async () => {
    const controller = new AbortController()
    const fitting = fitFlow(options({ signal: controller.signal, onProgress: () => controller.abort() }))
    expect(isSurprisalError(await failure(fitting), 'ABORTED')).toBe(true)
  })

  it.each([
    ['one row', { train: normals(1, 1) }, 'DATA_INSUFFICIENT'],
    ['nothing held out', { heldOut: normals(0, 1) }, 'DATA_INSUFFICIENT'],
    ['an empty batch', { budget: { ...BUDGET, batch: 0 } }, 'USAGE'],
  ] as const)('refuses %s', async (_name, over, code) => {
    expect(isSurprisalError(await failure(fitFlow(options(over))), code)).toBe(true)
  })
})
