import type { PermutationSpec } from '../../core/flow-spec.ts'
import type { Bijector, Mapped, NamedVariable, Placement } from '../bijector.ts'
import { type Tensor2D, tf } from '../engine.ts'
import { gatherColumns, inverseOf, PlacedTensors } from '../placed.ts'

/** z_d = x[order[d]]; log-det 0. */
export class Permutation implements Bijector<PermutationSpec> {
  readonly spec: PermutationSpec
  readonly dim: number
  readonly variables: readonly NamedVariable[] = []
  readonly #tensors: PlacedTensors
  readonly #order: tf.Tensor
  readonly #inverse: tf.Tensor

  constructor(spec: PermutationSpec, placement: Placement) {
    this.spec = spec
    this.dim = placement.dim
    this.#tensors = new PlacedTensors(placement)
    this.#order = this.#tensors.constant(Int32Array.from(spec.order), [this.dim])
    this.#inverse = this.#tensors.constant(inverseOf(spec.order), [this.dim])
  }

  forwardAndLogDet(z: Tensor2D): Mapped {
    return { value: gatherColumns(z, this.#inverse, this.#order), logDet: tf.zeros([z.shape[0]]) }
  }

  inverseAndLogDet(x: Tensor2D): Mapped {
    return { value: gatherColumns(x, this.#order, this.#inverse), logDet: tf.zeros([x.shape[0]]) }
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]()
  }
}
