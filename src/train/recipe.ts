import type { Budget } from './schedule.ts'

/** Records a flow sees in training, as a multiple of the rows it has; bounded below and above in steps. */
const EPOCHS = 85
const STEPS = { least: 1000, most: 3000 }
const LOOKS = 40
/** Fewer steps than this teach nothing. */
const MIN_STEPS = 50

/** Shares of a fresh fit's steps and learning rate. */
const WARM = { steps: 0.3, rate: 0.3 }

/** The shape of one flow: 8 affine couplings with 64 × 64 conditioners, a fixed random rotation before each. */
export const FLOW_SHAPE = { steps: 8, hidden: [64, 64] } as const

/** Length of training by rule from the number of rows: nothing is tuned for a data set. */
export function budgetFor(rows: number): Budget {
  const batch = rows < 600 ? 64 : rows < 1500 ? 128 : 256
  const steps = Math.min(STEPS.most, Math.max(STEPS.least, Math.round((EPOCHS * rows) / batch)))
  return {
    batch,
    steps,
    learningRate: 1e-3,
    warmup: 100,
    evaluateEvery: Math.ceil(steps / LOOKS),
    patience: 12,
  }
}

/**
 * So short that a flow learns where most rows lie and no clump of a few by heart (Arpit et al. 2017): what it finds
 * improbable then is what contaminates.
 */
export function briefBudgetFor(rows: number): Budget {
  return { ...budgetFor(rows), steps: 100, evaluateEvery: 10 }
}

/** A share `effort` of the steps, for those who cannot wait; 1 leaves the budget as it is. */
export function shortened(budget: Budget, effort: number): Budget {
  if (effort === 1) return budget
  const steps = Math.max(MIN_STEPS, Math.round(effort * budget.steps))
  return {
    ...budget,
    steps,
    warmup: Math.min(budget.warmup, Math.ceil(steps / 5)),
    evaluateEvery: Math.ceil(steps / 10),
  }
}

/**
 * For a flow that goes on from one of an earlier window: less to learn, and at the full rate it would first forget. By
 * measurement, docs/decisions/0901-retraining-warm-start.md.
 */
export function warmed(budget: Budget): Budget {
  const steps = Math.max(MIN_STEPS, Math.round(WARM.steps * budget.steps))
  return {
    ...budget,
    steps,
    learningRate: WARM.rate * budget.learningRate,
    warmup: Math.min(budget.warmup, Math.ceil(steps / 5)),
    evaluateEvery: Math.min(budget.evaluateEvery, Math.ceil(steps / 10)),
  }
}
