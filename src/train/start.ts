import type { FlowWeights } from '../core/flow-spec.ts'
import type { Budget } from './schedule.ts'
import type { FlowTrainer, TrainerState } from './trainer.ts'

/** Weights of an earlier flow to go on from, in place of a start of one's own. */
export interface WarmStart {
  /** The same knowledge said in different ways: whichever fits the held-out records best is taken. */
  readonly candidates: readonly FlowWeights[]
  /** How long a fit that goes on from them trains. */
  readonly budget: Budget
}

/** Where a fit began. */
export interface Start {
  /** The candidate taken; null: afresh. */
  readonly candidate: number | null
  /** Held-out NLL before the first step, nats: of the best candidate (where there is none, its own), and of its own. */
  readonly nll: number
  readonly freshNll: number
  /** What some steps took off the best candidate's, nats, where that was too much to go on from it. */
  readonly fell?: number
}

export interface StartTrials {
  heldOutNll(): Promise<number>
  /** The first steps of a fit by this budget. */
  steps(budget: Budget): Promise<void>
}

/** Nats a dimension that a few steps take off where the records have moved away from what the weights know. */
const STALE = 0.03

/**
 * Puts the candidate with the lowest held-out NLL into the trainer, unless the trainer's own initialised weights serve
 * better: where theirs is lower, and where some steps on trial take much off the candidate's. It then knows other
 * records than these, and a fit that goes on from it ends above a fresh one.
 */
export async function chooseStart(
  trainer: FlowTrainer,
  dim: number,
  warm: WarmStart | undefined,
  { heldOutNll, steps }: StartTrials,
): Promise<{ readonly start: Start; readonly state: TrainerState }> {
  const fresh = await trainer.state()
  const freshNll = await heldOutNll()
  let [candidate, nll, state]: [number | null, number, TrainerState] = [null, freshNll, fresh]
  for (const [i, weights] of (warm?.candidates ?? []).entries()) {
    const known = { ...fresh, weights }
    await trainer.restore(known)
    const own = await heldOutNll()
    if (own < nll) [candidate, nll, state] = [i, own, known]
  }
  if (warm === undefined) return { start: { candidate, nll, freshNll }, state }
  await trainer.restore(state)
  if (candidate === null) return { start: { candidate, nll, freshNll }, state }
  await steps(warm.budget)
  await trainer.loss()
  const fell = nll - (await heldOutNll())
  const stale = fell > STALE * dim
  await trainer.restore(stale ? fresh : state)
  return stale
    ? { start: { candidate: null, nll, freshNll, fell }, state: fresh }
    : { start: { candidate, nll, freshNll }, state }
}
