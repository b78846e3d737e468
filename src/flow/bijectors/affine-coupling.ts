import type { AffineCouplingSpec } from '../../core/flow-spec.ts'
import type { Bijector, Mapped, NamedVariable, Placement } from '../bijector.ts'
import { Conditioner } from '../conditioner.ts'
import { type Tensor1D, type Tensor2D, tf } from '../engine.ts'
import { conditionerLayers } from '../layout.ts'
import { PlacedTensors } from '../placed.ts'

/**
 * z_<split = x_<split and z_≥split = x_≥split · exp(s) + t, where s = m · tanh(q_s / m) and t = q_t come from a
 * conditioner of x_<split and the context; log-det Σ s, so |log-det| ≤ (dim − split) · m. Dinh et al. 2017, §3.2.
 */
export class AffineCoupling implements Bijector<AffineCouplingSpec> {
  readonly spec: AffineCouplingSpec
  readonly dim: number
  readonly variables: readonly NamedVariable[]
  readonly #tensors: PlacedTensors
  readonly #conditioner: Conditioner
  readonly #conditioned: boolean

  constructor(spec: AffineCouplingSpec, placement: Placement) {
    this.spec = spec
    this.dim = placement.dim
    this.#tensors = new PlacedTensors(placement)
    const widths = conditionerLayers(spec, placement.dim, placement.contextWidth)
    this.#conditioner = new Conditioner(widths, this.#tensors)
    this.#conditioned = placement.contextWidth > 0
    this.variables = this.#tensors.variables
  }

  forwardAndLogDet(z: Tensor2D, context?: Tensor2D): Mapped {
    const { kept, moved } = this.#halves(z)
    const { logScale, shift } = this.#scaleAndShift(kept, z.shape[0], context)
    const value = tf.mul(tf.sub(moved, shift), tf.exp(tf.neg(logScale))) as Tensor2D
    return { value: join(kept, value), logDet: tf.neg(tf.sum(logScale, 1)) as Tensor1D }
  }

  inverseAndLogDet(x: Tensor2D, context?: Tensor2D): Mapped {
    const { kept, moved } = this.#halves(x)
    const { logScale, shift } = this.#scaleAndShift(kept, x.shape[0], context)
    const value = tf.add(tf.mul(moved, tf.exp(logScale)), shift) as Tensor2D
    return { value: join(kept, value), logDet: tf.sum(logScale, 1) as Tensor1D }
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]()
  }

  #halves(batch: Tensor2D): { kept: Tensor2D | undefined; moved: Tensor2D } {
    const { split } = this.spec
    const [rows, dim] = batch.shape
    if (split === 0) return { kept: undefined, moved: batch }
    return {
      kept: tf.slice(batch, [0, 0], [rows, split]),
      moved: tf.slice(batch, [0, split], [rows, dim - split]),
    }
  }

  #scaleAndShift(kept: Tensor2D | undefined, rows: number, context: Tensor2D | undefined) {
    const { split, maxLogScale } = this.spec
    const moved = this.dim - split
    const inputs = [kept, this.#conditioned ? context : undefined].filter((t) => t !== undefined)
    const output = this.#conditioner.apply(inputs.length > 1 ? tf.concat(inputs, 1) : inputs[0], rows)
    const raw = tf.slice(output, [0, 0], [rows, moved])
    return {
      logScale: tf.mul(tf.tanh(tf.mul(raw, 1 / maxLogScale)), maxLogScale) as Tensor2D,
      shift: tf.slice(output, [0, moved], [rows, moved]),
    }
  }
}

function join(kept: Tensor2D | undefined, moved: Tensor2D): Tensor2D {
  return kept === undefined ? moved : tf.concat([kept, moved], 1)
}
