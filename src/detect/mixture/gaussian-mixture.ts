import { SurprisalError } from '../../core/errors.ts'
import type { FlowWeights } from '../../core/flow-spec.ts'

const LOG_2_PI = Math.log(2 * Math.PI)
/** A density can be too small for a float; it stays comparable and finite. */
const LEAST = -1e30

/**
 * log_weight [K], mean [K, D], whitening [K, D, D] (lower triangular W with precision P = Wᵀ W, positive diagonal),
 * median [D] of log p(x_j | x_−j) among the rows learned from.
 */
export type MixtureTensors = FlowWeights

/**
 * p(x) = Σ_k w_k N(x; μ_k, P_k⁻¹). Its conditionals are exact: leaving out x_j turns the exponent dᵀ P d of component k
 * into dᵀ P d − (P d)_j² / P_jj and its determinant |P| into |P| / P_jj, so that log p(x_j | x_−j) of all j costs no
 * more than twice log p(x). Fits and checks, in float64; src/kernel/mixture-scorer.ts scores.
 */
export class GaussianMixture {
  readonly dim: number
  readonly components: number
  readonly tensors: MixtureTensors
  readonly #means: Float64Array
  /** Lower triangles of the whitenings, row after row. */
  readonly #triangles: Float64Array
  /** [K]: log w_k + ½ log |P_k| − D/2 · log 2π. */
  readonly #constants: Float64Array
  /** [K, D]: P_jj. */
  readonly #diagonal: Float64Array
  /** [K, D]: ½ (log 2π − log P_jj), what leaving out x_j adds to the constant. */
  readonly #relief: Float64Array
  readonly #centred: Float64Array
  /** Log densities of the components, of the row last looked at: whole [K], and without each dimension [K, D]. */
  readonly #whole: Float64Array
  readonly #without: Float64Array

  /** @throws SurprisalError MODEL_INVALID where the tensors are not those of a mixture over `dim` values. */
  constructor(tensors: MixtureTensors, dim: number) {
    const k = tensors.get('log_weight')?.data.length ?? 0
    this.dim = dim
    this.components = k
    this.tensors = tensors
    const logWeights = numbers(tensors, 'log_weight', k)
    this.#means = Float64Array.from(numbers(tensors, 'mean', k * dim))
    const whitenings = numbers(tensors, 'whitening', k * dim * dim)
    numbers(tensors, 'median', dim)
    this.#constants = new Float64Array(k)
    this.#diagonal = new Float64Array(k * dim)
    this.#triangles = new Float64Array((k * dim * (dim + 1)) / 2)
    let at = 0
    for (let c = 0; c < k; c++) {
      this.#constants[c] = logWeights[c] - 0.5 * dim * LOG_2_PI
      for (let i = 0; i < dim; i++) {
        const row = (c * dim + i) * dim
        const scale = whitenings[row + i]
        if (!(scale > 0)) throw invalid(`component ${c} has the scale ${scale} in dimension ${i}`)
        this.#constants[c] += Math.log(scale)
        for (let j = 0; j <= i; j++) {
          this.#triangles[at++] = whitenings[row + j]
          this.#diagonal[c * dim + j] += whitenings[row + j] ** 2
        }
      }
    }
    this.#relief = this.#diagonal.map((own) => 0.5 * (LOG_2_PI - Math.log(own)))
    this.#centred = new Float64Array(dim)
    this.#whole = new Float64Array(k)
    this.#without = new Float64Array(k * dim)
  }

  /** log p of every row, nats. */
  logProb(x: Float32Array, rows: number): Float64Array {
    return Float64Array.from({ length: rows }, (_, row) => this.#look(x, row))
  }

  /** P(component | row) into `out` [rows, K]; returns the mean of log p. */
  respond(x: Float32Array, rows: number, out: Float64Array): number {
    const k = this.components
    let sum = 0
    for (let row = 0; row < rows; row++) {
      const logProb = this.#look(x, row)
      for (let c = 0; c < k; c++) out[row * k + c] = Math.exp(this.#whole[c] - logProb)
      sum += logProb
    }
    return sum / rows
  }

  /** log p(x_j | x_−j) of every row and dimension, [rows, dim], nats. */
  conditionals(x: Float32Array, rows: number): Float64Array {
    const { dim, components } = this
    const out = new Float64Array(rows * dim)
    for (let row = 0; row < rows; row++) {
      const joint = this.#look(x, row, true)
      for (let j = 0; j < dim; j++)
        out[row * dim + j] = Math.max(LEAST, joint - logSumExp(this.#without, j, dim, components))
    }
    return out
  }

  #look(x: Float32Array, row: number, without = false): number {
    const { dim, components } = this
    const [means, triangles, diagonal] = [this.#means, this.#triangles, this.#diagonal]
    const [centred, pulls, whole] = [this.#centred, this.#without, this.#whole]
    const from = row * dim
    let at = 0
    for (let c = 0; c < components; c++) {
      const own = c * dim
      for (let j = 0; j < dim; j++) {
        centred[j] = x[from + j] - means[own + j]
        pulls[own + j] = 0
      }
      let distance = 0
      for (let i = 0; i < dim; i++) {
        let white = 0
        for (let j = 0; j <= i; j++) white += triangles[at + j] * centred[j]
        distance += white * white
        if (without) for (let j = 0; j <= i; j++) pulls[own + j] += triangles[at + j] * white
        at += i + 1
      }
      whole[c] = this.#constants[c] - 0.5 * distance
      if (!without) continue
      for (let j = 0; j < dim; j++) {
        const pull = pulls[own + j]
        pulls[own + j] = whole[c] + (0.5 * pull * pull) / diagonal[own + j] + this.#relief[own + j]
      }
    }
    return Math.max(LEAST, logSumExp(whole, 0, 1, components))
  }
}

/** A term this far below the greatest does not reach the last bit. */
const BELOW_LAST_BIT = 37

function logSumExp(values: Float64Array, from: number, stride: number, count: number): number {
  let peak = values[from]
  for (let c = 1; c < count; c++) {
    const value = values[from + c * stride]
    if (value > peak) peak = value
  }
  let sum = 0
  for (let c = 0; c < count; c++) {
    const below = values[from + c * stride] - peak
    if (below > -BELOW_LAST_BIT) sum += Math.exp(below)
  }
  return peak + Math.log(sum)
}

function numbers(tensors: MixtureTensors, name: string, size: number): Float32Array {
  const data = tensors.get(name)?.data
  if (size === 0 || data?.length !== size || !data.every(Number.isFinite))
    throw invalid(`"${name}" is not ${size} finite numbers`)
  return data
}

function invalid(why: string): SurprisalError {
  return new SurprisalError('MODEL_INVALID', `the Gaussian mixture of the model is inconsistent: ${why}`)
}
