import type { FlowWeights, Matrix } from '../core/flow-spec.ts'

/** Weights, Adam moments and step: with the fit loop's own state, resuming gives the same result. */
export interface TrainerState {
  readonly weights: FlowWeights
  /** First and second moments under the weights' names; trainable tensors only. */
  readonly moment1: FlowWeights
  readonly moment2: FlowWeights
  readonly step: number
}

export interface AdamOptions {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Global gradient norm is cut to this; Infinity switches clipping off. */
  readonly clipNorm: number
}
export const ADAM: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm: 10 }

/**
 * One optimiser step at a time, so that fit is the same loop on every backend. Loss: mean of −log p(x | context), nats.
 * Adam (Kingma and Ba 2015) with bias correction; the clipped gradient is the mean over the batch.
 * A context row is laid out as ContextSpec says. Matrices may be overwritten by the caller once the promise resolves.
 */
export interface FlowTrainer extends AsyncDisposable {
  readonly backend: string
  /**
   * Actnorm's data-dependent start: each actnorm's output has zero mean and unit variance on the sample (population
   * variance; deviations below 1e-6 count as 1e-6). Fewer than 2 rows: DATA_INSUFFICIENT.
   */
  initialize(sample: Matrix, context?: Matrix): Promise<void>
  /** A loss or gradient that is not finite changes neither weights nor moments, and makes the next loss() NaN. */
  step(batch: Matrix, context: Matrix | undefined, learningRate: number): Promise<void>
  /** Mean NLL of the steps since the last call, nats per record. */
  loss(): Promise<number>
  logProb(x: Matrix, context?: Matrix): Promise<Float64Array>
  state(): Promise<TrainerState>
  restore(state: TrainerState): Promise<void>
}
