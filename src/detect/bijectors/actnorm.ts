import type { ActNormSpec } from '../../core/flow-spec.ts'
import type { Bijector, Mapped, NamedVariable, Placement } from '../bijector.ts'
import { type Tensor2D, tf, type Variable } from '../engine.ts'
import { forEveryRow, PlacedTensors, requireTwoRows } from '../placed.ts'

const SMALLEST_DEVIATION = 1e-6

/** z_d = x_d · exp(log_scale_d) + bias_d; log-det Σ_d log_scale_d. Kingma and Dhariwal 2018, §3.1. */
export class ActNorm implements Bijector<ActNormSpec> {
  readonly spec: ActNormSpec
  readonly dim: number
  readonly variables: readonly NamedVariable[]
  readonly #tensors: PlacedTensors
  readonly #logScale: Variable
  readonly #bias: Variable

  constructor(spec: ActNormSpec, placement: Placement) {
    this.spec = spec
    this.dim = placement.dim
    this.#tensors = new PlacedTensors(placement)
    this.#logScale = this.#tensors.variable('log_scale')
    this.#bias = this.#tensors.variable('bias')
    this.variables = this.#tensors.variables
  }

  forwardAndLogDet(z: Tensor2D): Mapped {
    const scale = tf.exp(tf.neg(this.#logScale))
    const value = tf.mul(tf.sub(z, this.#bias), scale) as Tensor2D
    return { value, logDet: forEveryRow(tf.neg(tf.sum(this.#logScale)), z) }
  }

  inverseAndLogDet(x: Tensor2D): Mapped {
    const value = tf.add(tf.mul(x, tf.exp(this.#logScale)), this.#bias) as Tensor2D
    return { value, logDet: forEveryRow(tf.sum(this.#logScale), x) }
  }

  /** Zero mean and unit (population) variance on the sample; deviations below 1e-6 count as 1e-6. */
  initialize(x: Tensor2D): void {
    requireTwoRows(x)
    tf.tidy(() => {
      const mean = tf.mean(x, 0)
      const variance = tf.mean(tf.square(tf.sub(x, mean)), 0)
      const deviation = tf.maximum(tf.sqrt(variance), SMALLEST_DEVIATION)
      this.#logScale.assign(tf.neg(tf.log(deviation)))
      this.#bias.assign(tf.neg(tf.div(mean, deviation)))
    })
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]()
  }
}
