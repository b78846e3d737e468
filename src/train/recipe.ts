import type { Budget } from './schedule.ts'

/** Records a flow sees in training, as a multiple of the rows it has; bounded below and above in steps. */
const EPOCHS = 85
const STEPS = { least: 1000, most: 3000 }
const LOOKS = 40

/** Standard deviation of the input noise in units of a column's scale. */
export const INPUT_NOISE = 0.05

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
