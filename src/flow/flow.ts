import type { FlowSpec, FlowWeights, WeightTensor } from '../core/flow-spec.ts'
import type { Random } from '../core/random.ts'
import type { Bijector, Mapped, NamedVariable } from './bijector.ts'
import { createBijector } from './bijectors/table.ts'
import { ContextLookup } from './context.ts'
import { type Distribution, StandardNormal } from './distribution.ts'
import { type Tensor1D, type Tensor2D, tf } from './engine.ts'
import { flowLayout } from './layout.ts'
import { validateWeights } from './validation.ts'

export interface Inverted extends Mapped {
  /** Σ over the bijectors of |log-det|, [rows]: the scale of rounding errors in the density. */
  readonly magnitude: Tensor1D
}

/**
 * A chain of bijectors over a standard normal base: log p(x | c) = log N(z) + Σ log-det, z = inverse(x, c).
 * Lives on the tfjs backend that was current when it was made; results are tensors of the caller's tidy scope.
 * `context` holds rows as ContextSpec stores them: [rows, contextColumns].
 */
export class Flow implements Disposable {
  readonly spec: FlowSpec
  /** What training changes, under full names (`3.weight.0`, `context.embedding.1`). */
  readonly variables: readonly NamedVariable[]
  readonly #weights: FlowWeights
  readonly #context: ContextLookup
  readonly #bijectors: readonly Bijector[]
  readonly #base: Distribution

  private constructor(spec: FlowSpec, weights: FlowWeights) {
    this.spec = spec
    this.#weights = weights
    this.#context = new ContextLookup(spec.context, weights)
    this.#bijectors = spec.bijectors.map((bijector, i) =>
      createBijector(bijector, {
        dim: spec.dim,
        contextWidth: this.#context.width,
        weight: (name) => weights.get(`${i}.${name}`)!,
      }),
    )
    this.#base = new StandardNormal(spec.dim)
    this.variables = [
      ...this.#context.variables,
      ...this.#bijectors.flatMap((bijector, i) =>
        bijector.variables.map(({ name, variable }) => ({ name: `${i}.${name}`, variable })),
      ),
    ]
  }

  /** Throws FLOW_SPEC_INVALID where the weights do not fit the spec. */
  static from(spec: FlowSpec, weights: FlowWeights): Flow {
    validateWeights(spec, weights)
    return new Flow(spec, weights)
  }

  /** log p(x | context), [rows], nats. */
  logProb(x: Tensor2D, context?: Tensor2D): Tensor1D {
    return tf.tidy(() => {
      const { value, logDet } = this.inverse(x, context)
      return tf.add(this.#base.logProb(value), logDet)
    })
  }

  /** Data to latents. */
  inverse(x: Tensor2D, context?: Tensor2D): Inverted {
    return tf.tidy(() => {
      const seen = this.#context.apply(context)
      let value = x
      let logDet: Tensor1D = tf.zeros([x.shape[0]])
      let magnitude: Tensor1D = tf.zeros([x.shape[0]])
      for (const bijector of this.#bijectors) {
        const mapped = bijector.inverseAndLogDet(value, seen)
        value = mapped.value
        logDet = tf.add(logDet, mapped.logDet)
        magnitude = tf.add(magnitude, tf.abs(mapped.logDet))
      }
      return { value, logDet, magnitude }
    })
  }

  /** Latents to data. */
  forward(z: Tensor2D, context?: Tensor2D): Mapped {
    return tf.tidy(() => {
      const seen = this.#context.apply(context)
      let value = z
      let logDet: Tensor1D = tf.zeros([z.shape[0]])
      for (const bijector of [...this.#bijectors].reverse()) {
        const mapped = bijector.forwardAndLogDet(value, seen)
        value = mapped.value
        logDet = tf.add(logDet, mapped.logDet)
      }
      return { value, logDet }
    })
  }

  /** Draws [rows, dim]; a seed means the same sample on every backend, up to rounding. */
  sample(rows: number, random: Random, context?: Tensor2D): Tensor2D {
    return tf.tidy(() => this.forward(this.#base.sample(rows, random), context).value)
  }

  /** Data-dependent start of every bijector that has one, in the order in which data meets them. */
  initialize(x: Tensor2D, context?: Tensor2D): void {
    tf.tidy(() => {
      const seen = this.#context.apply(context)
      let value = x
      for (const bijector of this.#bijectors) {
        bijector.initialize?.(value)
        value = bijector.inverseAndLogDet(value, seen).value
      }
    })
  }

  /** A copy of the weights as they are now. Asynchronous, because a GPU cannot always be read at once. */
  async toWeights(): Promise<FlowWeights> {
    const trained = new Map<string, Float32Array>()
    for (const { name, variable } of this.variables)
      trained.set(name, Float32Array.from(await variable.data()))
    const weights = new Map<string, WeightTensor>()
    for (const { name, shape } of flowLayout(this.spec))
      weights.set(name, { shape, data: trained.get(name) ?? this.#weights.get(name)!.data.slice() })
    return weights
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]()
    for (const bijector of this.#bijectors) bijector[Symbol.dispose]()
  }
}
