import type { RotationSpec } from '../../core/flow-spec.ts'
import type { Bijector, Mapped, NamedVariable, Placement } from '../bijector.ts'
import { type Tensor2D, tf } from '../engine.ts'
import { PlacedTensors } from '../placed.ts'

/** z = Q x with a constant orthogonal Q; log-det 0. */
export class Rotation implements Bijector<RotationSpec> {
  readonly spec: RotationSpec
  readonly dim: number
  readonly variables: readonly NamedVariable[] = []
  readonly #tensors: PlacedTensors
  readonly #matrix: Tensor2D

  constructor(spec: RotationSpec, placement: Placement) {
    this.spec = spec
    this.dim = placement.dim
    this.#tensors = new PlacedTensors(placement)
    const { data, shape } = placement.weight('matrix')
    this.#matrix = this.#tensors.constant(data.slice(), shape) as Tensor2D
  }

  forwardAndLogDet(z: Tensor2D): Mapped {
    return { value: tf.matMul(z, this.#matrix), logDet: tf.zeros([z.shape[0]]) }
  }

  inverseAndLogDet(x: Tensor2D): Mapped {
    return { value: tf.matMul(x, this.#matrix, false, true), logDet: tf.zeros([x.shape[0]]) }
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]()
  }
}
