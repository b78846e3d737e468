import type { LuLinearSpec } from '../../core/flow-spec.ts'
import type { Bijector, Mapped, NamedVariable, Placement } from '../bijector.ts'
import { type Tensor2D, tf, type Variable } from '../engine.ts'
import { forEveryRow, gatherColumns, inverseOf, PlacedTensors } from '../placed.ts'
import { solveTriangular } from '../triangular.ts'

/**
 * z = W x with W = P L (U + diag(sign · exp(log_diagonal))); log-det Σ_d log_diagonal_d. Sampling solves the two
 * triangular systems, so nothing is ever inverted. Kingma and Dhariwal 2018, §3.2.
 */
export class LuLinear implements Bijector<LuLinearSpec> {
  readonly spec: LuLinearSpec
  readonly dim: number
  readonly variables: readonly NamedVariable[]
  readonly #tensors: PlacedTensors
  readonly #lower: Variable
  readonly #upper: Variable
  readonly #logDiagonal: Variable
  readonly #sign: tf.Tensor
  readonly #order: tf.Tensor
  readonly #inverseOrder: tf.Tensor
  readonly #below: tf.Tensor
  readonly #above: tf.Tensor

  constructor(spec: LuLinearSpec, placement: Placement) {
    this.spec = spec
    this.dim = placement.dim
    this.#tensors = new PlacedTensors(placement)
    this.#lower = this.#tensors.variable('lower')
    this.#upper = this.#tensors.variable('upper')
    this.#logDiagonal = this.#tensors.variable('log_diagonal')
    const { dim } = this
    const order = Int32Array.from(placement.weight('permutation').data)
    this.#order = this.#tensors.constant(order, [dim])
    this.#inverseOrder = this.#tensors.constant(inverseOf(order), [dim])
    this.#sign = this.#tensors.constant(placement.weight('sign').data.slice(), [dim])
    const where = (test: (row: number, column: number) => boolean) =>
      Float32Array.from({ length: dim * dim }, (_, i) => (test(Math.floor(i / dim), i % dim) ? 1 : 0))
    this.#below = this.#tensors.constant(
      where((r, c) => c < r),
      [dim, dim],
    )
    this.#above = this.#tensors.constant(
      where((r, c) => c > r),
      [dim, dim],
    )
    this.variables = this.#tensors.variables
  }

  forwardAndLogDet(z: Tensor2D): Mapped {
    const { lower, upper, diagonal } = this.#factors()
    const permuted = gatherColumns(z, this.#inverseOrder, this.#order)
    const middle = solveTriangular(lower, undefined, permuted, 'lower')
    const value = solveTriangular(upper, diagonal, middle, 'upper')
    return { value, logDet: forEveryRow(tf.neg(tf.sum(this.#logDiagonal)), z) }
  }

  inverseAndLogDet(x: Tensor2D): Mapped {
    const { lower, upper, diagonal } = this.#factors()
    const middle = tf.add(tf.matMul(x, upper, false, true), tf.mul(x, diagonal)) as Tensor2D
    const mixed = tf.add(tf.matMul(middle, lower, false, true), middle) as Tensor2D
    const value = gatherColumns(mixed, this.#order, this.#inverseOrder)
    return { value, logDet: forEveryRow(tf.sum(this.#logDiagonal), x) }
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]()
  }

  #factors(): { lower: Tensor2D; upper: Tensor2D; diagonal: tf.Tensor } {
    return {
      lower: tf.mul(this.#lower, this.#below),
      upper: tf.mul(this.#upper, this.#above),
      diagonal: tf.mul(this.#sign, tf.exp(this.#logDiagonal)),
    }
  }
}
