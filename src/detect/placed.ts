import { SurprisalError } from '../core/errors.ts'
import type { NamedVariable, Placement } from './bijector.ts'
import { type Tensor1D, type Tensor2D, tf, type Variable } from './engine.ts'

/** Puts weights on the current backend and owns them until disposed. */
export class PlacedTensors implements Disposable {
  readonly variables: NamedVariable[] = []
  readonly #placement: Placement
  readonly #constants: tf.Tensor[] = []

  constructor(placement: Placement) {
    this.#placement = placement
  }

  variable(name: string): Variable {
    const { data, shape } = this.#placement.weight(name)
    const variable = tf.tidy(() => tf.variable(tf.tensor(data.slice(), [...shape], 'float32'), true))
    this.variables.push({ name, variable })
    return variable
  }

  constant(data: Float32Array | Int32Array, shape: readonly number[]): tf.Tensor {
    const tensor = tf.keep(tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32'))
    this.#constants.push(tensor)
    return tensor
  }

  [Symbol.dispose](): void {
    for (const { variable } of this.variables) variable.dispose()
    for (const tensor of this.#constants) tensor.dispose()
  }
}

/** The same scalar for every row of a batch. */
export function forEveryRow(scalar: tf.Tensor, batch: Tensor2D): Tensor1D {
  return tf.mul(scalar, tf.ones([batch.shape[0]])) as Tensor1D
}

/** Column c of the result is column order[c] of x. */
export function gatherColumns(x: Tensor2D, order: tf.Tensor, inverseOrder: tf.Tensor): Tensor2D {
  return tf.customGrad((input) => ({
    value: tf.gather(input as Tensor2D, order as Tensor1D, 1),
    gradFunc: (dy: tf.Tensor) => tf.gather(dy as Tensor2D, inverseOrder as Tensor1D, 1),
  }))(x) as Tensor2D
}

/** The inverse of a permutation. */
export function inverseOf(order: ArrayLike<number>): Int32Array {
  const inverse = new Int32Array(order.length)
  for (let i = 0; i < order.length; i++) inverse[order[i]] = i
  return inverse
}

export function requireTwoRows(x: Tensor2D): void {
  if (x.shape[0] < 2)
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `a flow starts from the mean and variance of a sample: it needs at least 2 rows, not ${x.shape[0]}`,
    )
}
