import { SurprisalError } from '../core/errors.ts'
import type { FlowWeights, WeightTensor } from '../core/flow-spec.ts'
import type { NamedVariable } from '../flow/bijector.ts'
import { tf, type Variable } from '../flow/engine.ts'
import type { AdamOptions, TrainerState } from './trainer.ts'

type Moments = Pick<TrainerState, 'moment1' | 'moment2' | 'step'>

/**
 * Adam (Kingma and Ba 2015, algorithm 1) on tfjs variables: g is the gradient, scaled down to the clip norm;
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − rate · m̂ / (√v̂ + ε), m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
 */
export class TfjsAdam implements Disposable {
  readonly #options: AdamOptions
  readonly #parameters: readonly {
    readonly name: string
    readonly variable: Variable
    readonly moment1: Variable
    readonly moment2: Variable
  }[]
  #steps: number

  /** Starts afresh, or from saved moments, which must have the variables' names and sizes (FLOW_SPEC_INVALID). */
  constructor(variables: readonly NamedVariable[], options: AdamOptions, saved?: Moments) {
    if (saved !== undefined) for (const variable of variables) requireMoments(variable, saved)
    this.#options = options
    this.#steps = saved?.step ?? 0
    this.#parameters = variables.map(({ name, variable }) => ({
      name,
      variable,
      moment1: placed(variable, saved?.moment1.get(name)),
      moment2: placed(variable, saved?.moment2.get(name)),
    }))
  }

  get steps(): number {
    return this.#steps
  }

  /** One step down the loss; returns its value before. Not finite, or with such a gradient: NaN, nothing changed. */
  async step(learningRate: number, loss: () => tf.Scalar): Promise<number> {
    const variables = this.#parameters.map((p) => p.variable)
    const { value, grads } = tf.variableGrads(loss, variables)
    const gradients = this.#parameters.map(({ variable }) => grads[variable.name])
    const summary = tf.tidy(() => {
      // Not addN: on WebGPU it binds a buffer per term, and adapters guarantee eight.
      const squares = gradients.map((g) => tf.sum(tf.square(g)))
      return tf.stack([value, tf.sqrt(squares.reduce((sum, square) => tf.add(sum, square)))])
    })
    const [lossValue, norm] = await summary.data()
    const usable = Number.isFinite(lossValue) && Number.isFinite(norm)
    if (usable) this.#update(gradients, learningRate, norm)
    tf.dispose([value, summary, ...gradients])
    return usable ? lossValue : Number.NaN
  }

  async moments(): Promise<Pick<TrainerState, 'moment1' | 'moment2'>> {
    const moment1 = new Map<string, WeightTensor>()
    const moment2 = new Map<string, WeightTensor>()
    for (const parameter of this.#parameters) {
      moment1.set(parameter.name, await read(parameter.moment1))
      moment2.set(parameter.name, await read(parameter.moment2))
    }
    return { moment1, moment2 }
  }

  [Symbol.dispose](): void {
    for (const { moment1, moment2 } of this.#parameters) tf.dispose([moment1, moment2])
  }

  #update(gradients: readonly tf.Tensor[], learningRate: number, norm: number): void {
    const { beta1, beta2, epsilon, clipNorm } = this.#options
    this.#steps += 1
    const scale = norm > clipNorm ? clipNorm / norm : 1
    const correction1 = 1 / (1 - beta1 ** this.#steps)
    const correction2 = 1 / (1 - beta2 ** this.#steps)
    tf.tidy(() => {
      this.#parameters.forEach(({ variable, moment1, moment2 }, i) => {
        const gradient = tf.mul(gradients[i], scale)
        moment1.assign(tf.add(tf.mul(moment1, beta1), tf.mul(gradient, 1 - beta1)))
        moment2.assign(tf.add(tf.mul(moment2, beta2), tf.mul(tf.square(gradient), 1 - beta2)))
        const denominator = tf.add(tf.sqrt(tf.mul(moment2, correction2)), epsilon)
        const change = tf.div(tf.mul(moment1, learningRate * correction1), denominator)
        variable.assign(tf.sub(variable, change))
      })
    })
  }
}

function placed(like: Variable, saved: WeightTensor | undefined): Variable {
  return tf.tidy(() =>
    tf.variable(saved === undefined ? tf.zerosLike(like) : tf.tensor(saved.data.slice(), like.shape), false),
  )
}

async function read(variable: Variable): Promise<WeightTensor> {
  return { shape: [...variable.shape], data: Float32Array.from(await variable.data()) }
}

function requireMoments({ name, variable }: NamedVariable, saved: Moments): void {
  for (const moments of [saved.moment1, saved.moment2] satisfies FlowWeights[]) {
    const length = moments.get(name)?.data.length
    if (length !== variable.size)
      throw new SurprisalError(
        'FLOW_SPEC_INVALID',
        `the saved optimiser state holds ${length ?? 'no'} numbers for '${name}', the flow ${variable.size}`,
      )
  }
}
