import { type ContextSpec, contextColumns, contextWidth, type FlowWeights } from '../core/flow-spec.ts'
import type { NamedVariable } from './bijector.ts'
import { type Tensor1D, type Tensor2D, tf, type Variable } from './engine.ts'
import { PlacedTensors } from './placed.ts'

/**
 * Context rows as they are stored (floats, then codes: [rows, contextColumns]) → what couplings see (floats, then
 * the codes' embeddings: [rows, contextWidth]). The embedding tables are trained with the flow.
 */
export class ContextLookup implements Disposable {
  readonly spec: ContextSpec
  readonly width: number
  readonly variables: readonly NamedVariable[]
  readonly #tensors: PlacedTensors
  readonly #tables: readonly Variable[]

  constructor(spec: ContextSpec, weights: FlowWeights) {
    this.spec = spec
    this.width = contextWidth(spec)
    this.#tensors = new PlacedTensors({
      dim: 0,
      contextWidth: this.width,
      weight: (name) => weights.get(name)!,
    })
    this.#tables = spec.embeddings.map((_, e) => this.#tensors.variable(`context.embedding.${e}`))
    this.variables = this.#tensors.variables
  }

  /** undefined where the spec has no context. Codes outside their table are the caller's error. */
  apply(context: Tensor2D | undefined): Tensor2D | undefined {
    const columns = contextColumns(this.spec)
    if (columns === 0) return undefined
    if (context?.shape[1] !== columns)
      throw new RangeError(`context must have ${columns} columns, not ${context?.shape[1] ?? 'none'}`)
    const rows = context.shape[0]
    const { numeric } = this.spec
    const parts = this.#tables.map((table, e) => {
      const codes = tf.reshape(tf.slice(context, [0, numeric + e], [rows, 1]), [rows])
      return lookup(table, tf.cast(codes, 'int32') as Tensor1D)
    })
    if (numeric > 0) parts.unshift(tf.slice(context, [0, 0], [rows, numeric]))
    return parts.length > 1 ? tf.concat(parts, 1) : parts[0]
  }

  [Symbol.dispose](): void {
    this.#tensors[Symbol.dispose]()
  }
}

/** Rows of the table; the gradient sums over the rows that read the same code. */
function lookup(table: Variable, codes: Tensor1D): Tensor2D {
  const { shape } = table
  return tf.customGrad((input, save) => {
    const keep = save as tf.GradSaveFunc
    keep([codes])
    return {
      value: tf.gather(input as Tensor2D, codes),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.scatterND(tf.expandDims(saved, 1), dy, shape),
    }
  })(table) as Tensor2D
}
