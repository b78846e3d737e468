import type { FlowWeights, Matrix } from '../../src/core/flow-spec.ts'
import type { FlowTrainer, TrainerState } from '../../src/train/trainer.ts'

const copied = (weights: FlowWeights): FlowWeights =>
  new Map([...weights].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]))

/** The smallest honest trainer: a Gaussian with its own mean and scale per dimension, fitted by momentum. */
export class DiagonalGaussian implements FlowTrainer {
  readonly backend = 'diagonal-gaussian'
  readonly #dim: number
  #mean: Float32Array
  #logScale: Float32Array
  #momentum: Float32Array
  #step = 0
  #sum = 0
  #batches = 0
  /** Steps (counted over restarts) whose gradient is poisoned. */
  readonly #poisoned: (calls: number) => boolean
  #calls = 0
  readonly rates: number[] = []

  constructor(dim: number, poisoned: (calls: number) => boolean = () => false) {
    this.#dim = dim
    this.#mean = new Float32Array(dim)
    this.#logScale = new Float32Array(dim)
    this.#momentum = new Float32Array(2 * dim)
    this.#poisoned = poisoned
  }

  async initialize(): Promise<void> {}

  async step(batch: Matrix, _context: Matrix | undefined, learningRate: number): Promise<void> {
    const dim = this.#dim
    this.rates.push(learningRate)
    this.#sum += this.#nll(batch)
    this.#batches++
    this.#step++
    const gradient = new Float32Array(2 * dim)
    for (let i = 0; i < batch.data.length; i++) {
      const d = i % dim
      const z = (batch.data[i] - this.#mean[d]) * Math.exp(-this.#logScale[d])
      gradient[d] -= (z * Math.exp(-this.#logScale[d])) / batch.rows
      gradient[dim + d] += (1 - z * z) / batch.rows
    }
    if (this.#poisoned(this.#calls++)) gradient.fill(Number.NaN)
    for (let i = 0; i < 2 * dim; i++) {
      this.#momentum[i] = 0.9 * this.#momentum[i] + gradient[i]
      const target = i < dim ? this.#mean : this.#logScale
      target[i % dim] -= learningRate * this.#momentum[i]
    }
  }

  async loss(): Promise<number> {
    const mean = this.#sum / this.#batches
    this.#sum = 0
    this.#batches = 0
    return mean
  }

  async logProb(x: Matrix): Promise<Float64Array> {
    const dim = this.#dim
    return Float64Array.from({ length: x.rows }, (_, row) => {
      let sum = 0
      for (let d = 0; d < dim; d++) {
        const z = (x.data[row * dim + d] - this.#mean[d]) * Math.exp(-this.#logScale[d])
        sum -= 0.5 * z * z + this.#logScale[d] + 0.5 * Math.log(2 * Math.PI)
      }
      return sum
    })
  }

  async state(): Promise<TrainerState> {
    const shape = [this.#dim]
    return {
      weights: copied(
        new Map([
          ['mean', { shape, data: this.#mean }],
          ['log_scale', { shape, data: this.#logScale }],
        ]),
      ),
      moment1: copied(new Map([['all', { shape: [2 * this.#dim], data: this.#momentum }]])),
      moment2: new Map(),
      step: this.#step,
    }
  }

  async restore(state: TrainerState): Promise<void> {
    const weights = copied(state.weights)
    this.#mean = weights.get('mean')!.data
    this.#logScale = weights.get('log_scale')!.data
    this.#momentum = copied(state.moment1).get('all')!.data
    this.#step = state.step
    this.#sum = 0
    this.#batches = 0
  }

  #nll(batch: Matrix): number {
    const dim = this.#dim
    let sum = 0
    for (let i = 0; i < batch.data.length; i++) {
      const d = i % dim
      const z = (batch.data[i] - this.#mean[d]) * Math.exp(-this.#logScale[d])
      sum += 0.5 * z * z + this.#logScale[d] + 0.5 * Math.log(2 * Math.PI)
    }
    return sum / batch.rows
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
