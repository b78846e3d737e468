import type { BijectorSpec, WeightTensor } from '../core/flow-spec.ts'
import type { Tensor1D, Tensor2D, Variable } from './engine.ts'

/**
 * An invertible map between data x and latents z, and the one statement of how maps are read:
 * inverse is x → z (scoring, training), forward is z → x (sampling). Tensors are float32: batches [rows, dim],
 * log-determinants [rows], in nats. Rows never see each other. `context` is what conditions a coupling, already
 * looked up and concatenated: [rows, contextWidth]; maps without a conditioner do not read it.
 */
export interface Bijector<Spec extends BijectorSpec = BijectorSpec> extends Disposable {
  /** Rebuilds the map, apart from its weights. */
  readonly spec: Spec
  readonly dim: number
  /** What training changes, under the short names of the spec's tensors. */
  readonly variables: readonly NamedVariable[]
  /** x = f(z) and log|det ∂f/∂z|. */
  forwardAndLogDet(z: Tensor2D, context?: Tensor2D): Mapped
  /** z = f⁻¹(x) and log|det ∂f⁻¹/∂x|. */
  inverseAndLogDet(x: Tensor2D, context?: Tensor2D): Mapped
  /**
   * Data-dependent start from a sample [rows ≥ 2, dim] of what the map will meet; absent where there is none.
   * Fewer rows: DATA_INSUFFICIENT.
   */
  initialize?(x: Tensor2D): void
}

export interface Mapped {
  readonly value: Tensor2D
  readonly logDet: Tensor1D
}

export interface NamedVariable {
  readonly name: string
  readonly variable: Variable
}

/** Where a bijector stands: the width of its batches and of its context, and its tensors by short name. */
export interface Placement {
  readonly dim: number
  readonly contextWidth: number
  weight(name: string): WeightTensor
}
