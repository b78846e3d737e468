import { type Tensor2D, tf, type Variable } from './engine.ts'
import type { PlacedTensors } from './placed.ts'

/** A ReLU perceptron: layer i maps h to h · weight.iᵀ + bias.i, with a ReLU after every layer but the last. */
export class Conditioner {
  readonly #layers: readonly { readonly weight: Variable | undefined; readonly bias: Variable }[]

  /** `widths`: [inputs, outputs] of every layer. A layer without inputs is its bias alone. */
  constructor(widths: readonly (readonly [inputs: number, outputs: number])[], tensors: PlacedTensors) {
    this.#layers = widths.map(([inputs], i) => ({
      weight: inputs > 0 ? tensors.variable(`weight.${i}`) : undefined,
      bias: tensors.variable(`bias.${i}`),
    }))
  }

  /** [rows, inputs] → [rows, outputs]; `input` is undefined where the first layer has none. */
  apply(input: Tensor2D | undefined, rows: number): Tensor2D {
    let hidden = input
    this.#layers.forEach(({ weight, bias }, i) => {
      const linear =
        weight === undefined || hidden === undefined
          ? tf.zeros([rows, bias.shape[0]])
          : tf.matMul(hidden, weight as Tensor2D, false, true)
      const sum = tf.add(linear, bias) as Tensor2D
      hidden = i === this.#layers.length - 1 ? sum : tf.relu(sum)
    })
    return hidden!
  }
}
