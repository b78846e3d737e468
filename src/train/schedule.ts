/** How long and how fast one flow trains. */
export interface Budget {
  readonly batch: number
  readonly steps: number
  /** Peak learning rate. */
  readonly learningRate: number
  /** Steps of linear warm-up. */
  readonly warmup: number
  /** Steps between two looks at the held-out loss. */
  readonly evaluateEvery: number
  /** Looks without a new best held-out loss before training ends. */
  readonly patience: number
}

/** Where the cosine ends, relative to the peak. */
const FLOOR = 0.02

/**
 * Learning rate of step t = 1 … steps: peak · min(1, t / warmup) · (f + (1 − f) · (1 + cos(π t / steps)) / 2)
 * with f = 0.02 (cosine decay: Loshchilov and Hutter 2017, without restarts).
 */
export function learningRateAt(step: number, budget: Budget): number {
  const warm = budget.warmup > 0 ? Math.min(1, step / budget.warmup) : 1
  const cosine = (1 + Math.cos((Math.PI * Math.min(step, budget.steps)) / budget.steps)) / 2
  return budget.learningRate * warm * (FLOOR + (1 - FLOOR) * cosine)
}
