import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { SurprisalError, throwIfAborted } from '../core/errors.ts'
import type { FlowWeights } from '../core/flow-spec.ts'
import { random } from '../core/random.ts'
import { augmentedCopy, type FlowRows, type Noise, type RowBuffer } from './augment.ts'
import { decodeCheckpoint, encodeCheckpoint, type FitState } from './checkpoint.ts'
import { Minibatches } from './minibatches.ts'
import { type Budget, learningRateAt } from './schedule.ts'
import { chooseStart, type Start, type WarmStart } from './start.ts'
import type { FlowTrainer } from './trainer.ts'

export interface FitProgress {
  readonly step: number
  readonly steps: number
  /** Mean of −log p over the steps since the last report, nats. */
  readonly trainNll: number
  readonly heldOutNll: number
  readonly recordsPerSecond: number
  readonly secondsLeft: number
}

export interface FitOptions {
  /** Holds the initial weights; not disposed of here. */
  readonly trainer: FlowTrainer
  readonly train: FlowRows
  /** Decides when to stop and which weights are kept; no gradient comes from it. */
  readonly heldOut: FlowRows
  readonly noise: Noise
  readonly budget: Budget
  readonly seed: number
  readonly warm?: WarmStart
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: FitProgress) => void
  /** Called after every look at the held-out loss. The bytes are the caller's to keep. */
  readonly onCheckpoint?: (bytes: Uint8Array) => void
  /** A checkpoint of the same fit: the result is the one an uninterrupted fit would have had, bit for bit. */
  readonly resume?: Uint8Array
}

export interface FlowFit {
  readonly weights: FlowWeights
  /** Of the weights kept, nats per record. */
  readonly heldOutNll: number
  readonly bestStep: number
  readonly steps: number
  readonly restarts: number
  readonly seconds: number
  readonly backend: string
  readonly start: Start
}

const MAX_RESTARTS = 6
const HELD_OUT_LIMIT = 8192
/** Few held-out rows are looked at under several draws of the noise. */
const HELD_OUT_LOOKS = 512
/** One absurd record must not decide when to stop: log p enters the mean at no less than −200 nats a dimension. */
const NLL_LIMIT_PER_DIM = 200
const YIELD_MS = 30

/**
 * Maximum likelihood by minibatches on any backend, keeping the weights with the lowest held-out NLL. A non-finite
 * loss goes back to the last good look with half the learning rate. Same options, same result.
 * @throws SurprisalError TRAINING_DIVERGED after 6 restarts, DATA_INSUFFICIENT without rows, ABORTED,
 *   MODEL_INVALID for a checkpoint of another fit
 */
export async function fitFlow(options: FitOptions): Promise<FlowFit> {
  const { trainer, train, heldOut, noise, seed, signal } = options
  requireRows(options)
  const started = performance.now()
  const fingerprint = fingerprintOf(options)
  const looks = heldOutLooks(heldOut, noise, seed)
  let state = options.resume ? decodeCheckpoint(options.resume) : undefined
  if (state && state.fingerprint !== fingerprint) {
    throw new SurprisalError(
      'MODEL_INVALID',
      'the checkpoint belongs to a fit with other data or options; delete it to train from the start',
    )
  }
  const firstStep = state?.step ?? 0
  if (state) await trainer.restore(state.trainer)
  else state = await firstState(options, fingerprint, looks)
  const budget = budgetOf(options, state.start)

  let batches = new Minibatches(train, noise, budget.batch, state.batches)
  let lastTurn = performance.now()
  while (!state.finished) {
    const end = Math.min(budget.steps, state.step + budget.evaluateEvery)
    for (let step = state.step + 1; step <= end; step++) {
      throwIfAborted(signal)
      const { x, context } = batches.next()
      await trainer.step(x, context, state.rateScale * learningRateAt(step, budget))
      if (performance.now() - lastTurn > YIELD_MS) {
        await turn()
        lastTurn = performance.now()
      }
    }
    const trainNll = await trainer.loss()
    const nll = await meanNll(trainer, looks)
    if (!Number.isFinite(trainNll) || !Number.isFinite(nll)) {
      state = await restarted(trainer, state, batches, end)
      batches = new Minibatches(train, noise, budget.batch, state.batches)
      continue
    }
    state = await advanced(trainer, budget, state, batches, end, nll)
    options.onCheckpoint?.(encodeCheckpoint(state))
    const rate = ((end - firstStep) * budget.batch) / ((performance.now() - started) / 1000)
    options.onProgress?.({
      step: end,
      steps: budget.steps,
      trainNll,
      heldOutNll: nll,
      recordsPerSecond: rate,
      secondsLeft: state.finished ? 0 : ((budget.steps - end) * budget.batch) / rate,
    })
  }
  return {
    weights: state.best.weights,
    heldOutNll: state.best.nll,
    bestStep: state.best.step,
    steps: state.step,
    restarts: state.restarts,
    seconds: (performance.now() - started) / 1000,
    backend: trainer.backend,
    start: state.start,
  }
}

function budgetOf({ budget, warm }: FitOptions, { candidate }: Start): Budget {
  return warm === undefined || candidate === null ? budget : warm.budget
}

async function firstState(options: FitOptions, fingerprint: string, looks: RowBuffer): Promise<FitState> {
  const { trainer, train, noise, warm, seed, signal } = options
  const sample = new Minibatches(train, noise, Math.min(train.x.rows, 4096), seed ^ 0x5eed).next()
  await trainer.initialize(sample.x, sample.context)
  const { start, state } = await chooseStart(trainer, train.x.columns, warm, {
    heldOutNll: () => meanNll(trainer, looks),
    steps: async (trial) => {
      const batches = new Minibatches(train, noise, trial.batch, seed)
      for (let step = 1; step <= trial.evaluateEvery; step++) {
        throwIfAborted(signal)
        const { x, context } = batches.next()
        await trainer.step(x, context, learningRateAt(step, trial))
      }
    },
  })
  const budget = budgetOf(options, start)
  return {
    fingerprint,
    start,
    step: 0,
    batches: new Minibatches(train, noise, budget.batch, seed).state(),
    trainer: state,
    best: { weights: state.weights, step: 0, nll: start.candidate === null ? start.freshNll : start.nll },
    misses: 0,
    rateScale: 1,
    restarts: 0,
    finished: budget.steps < 1,
  }
}

async function advanced(
  trainer: FlowTrainer,
  budget: Budget,
  state: FitState,
  batches: Minibatches,
  step: number,
  nll: number,
): Promise<FitState> {
  const trained = await trainer.state()
  const better = !(nll >= state.best.nll)
  const misses = better ? 0 : state.misses + 1
  return {
    ...state,
    step,
    batches: batches.state(),
    trainer: trained,
    best: better ? { weights: trained.weights, step, nll } : state.best,
    misses,
    finished: step >= budget.steps || misses >= budget.patience,
  }
}

async function restarted(
  trainer: FlowTrainer,
  good: FitState,
  batches: Minibatches,
  step: number,
): Promise<FitState> {
  if (good.restarts >= MAX_RESTARTS) {
    throw new SurprisalError(
      'TRAINING_DIVERGED',
      `the loss was not finite before step ${step}, ${MAX_RESTARTS} times with the learning rate halved each time; look for extreme values in the training data or lower the learning rate`,
    )
  }
  await trainer.restore(good.trainer)
  await trainer.loss()
  return { ...good, batches: batches.state(), rateScale: good.rateScale / 2, restarts: good.restarts + 1 }
}

function heldOutLooks(heldOut: FlowRows, noise: Noise, seed: number): RowBuffer {
  const { rows } = heldOut.x
  const count = Math.min(rows, HELD_OUT_LIMIT)
  const repeats = Math.max(1, Math.ceil(HELD_OUT_LOOKS / count))
  const indices = Int32Array.from({ length: count * repeats }, (_, i) =>
    Math.floor(((i % count) * rows) / count),
  )
  return augmentedCopy(heldOut, indices, noise, random(seed ^ 0x40d))
}

async function meanNll(trainer: FlowTrainer, { x, context }: RowBuffer): Promise<number> {
  const limit = NLL_LIMIT_PER_DIM * x.columns
  const logProb = await trainer.logProb(x, context)
  let sum = 0
  for (const value of logProb) sum -= value < -limit ? -limit : value
  return sum / logProb.length
}

function fingerprintOf({ train, heldOut, noise, budget, seed, warm }: FitOptions): string {
  const hash = createHash('sha256').update(JSON.stringify([budget, seed, warm?.budget]))
  for (const weights of warm?.candidates ?? []) for (const { data } of weights.values()) hash.update(data)
  const arrays = [train, heldOut].flatMap(({ x, context, fill }) => [x.data, context?.data, fill])
  for (const array of [...arrays, noise.gaussian, noise.uniform]) hash.update(array ?? 'none')
  return hash.digest('hex')
}

function requireRows({ train, heldOut, budget }: FitOptions): void {
  if (train.x.rows < 2 || heldOut.x.rows < 1) {
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `a flow needs at least 2 rows to learn from and 1 to stop by; got ${train.x.rows} and ${heldOut.x.rows}`,
    )
  }
  if (!(budget.batch >= 1 && budget.evaluateEvery >= 1)) {
    throw new SurprisalError(
      'USAGE',
      `batch and evaluateEvery must be at least 1; got ${budget.batch} and ${budget.evaluateEvery}`,
    )
  }
}
