import { SurprisalError } from '../core/errors.ts'
import type { FlowWeights } from '../core/flow-spec.ts'

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
 * more than twice log p(x).
 */
export class GaussianMixture {
  readonly dim: number
  readonly components: number
  readonly tensors: MixtureTensors
  readonly #means: Float32Array
  readonly #whitenings: Float32Array
  readonly #medians: Float32Array
  /** [K]: log w_k + ½ log |P_k| − D/2 · log 2π. */
  readonly #constants: Float64Array
  /** [K, D]: P_jj. */
  readonly #diagonal: Float64Array
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
    this.#means = numbers(tensors, 'mean', k * dim)
    this.#whitenings = numbers(tensors, 'whitening', k * dim * dim)
    this.#medians = numbers(tensors, 'median', dim)
    this.#constants = new Float64Array(k)
    this.#diagonal = new Float64Array(k * dim)
    for (let c = 0; c < k; c++) {
      this.#constants[c] = logWeights[c] - 0.5 * dim * LOG_2_PI
      for (let i = 0; i < dim; i++) {
        const row = (c * dim + i) * dim
        const scale = this.#whitenings[row + i]
        if (!(scale > 0)) throw invalid(`component ${c} has the scale ${scale} in dimension ${i}`)
        this.#constants[c] += Math.log(scale)
        for (let j = 0; j <= i; j++) this.#diagonal[c * dim + j] += this.#whitenings[row + j] ** 2
      }
    }
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

  /**
   * min_j (log p(x_j | x_−j) − median_j): how surprising the most surprising value of a row is, given its others and
   * beside what is usual for that dimension. Values marked in `fill` are not there and are not judged; 0 where none is.
   */
  weakest(x: Float32Array, rows: number, fill?: Uint8Array): Float64Array {
    const { dim } = this
    const conditionals = this.conditionals(x, rows)
    const out = new Float64Array(rows)
    for (let row = 0, at = 0; row < rows; row++) {
      let least = Number.POSITIVE_INFINITY
      for (let j = 0; j < dim; j++, at++) {
        if (fill?.[at] !== 1) least = Math.min(least, conditionals[at] - this.#medians[j])
      }
      out[row] = least === Number.POSITIVE_INFINITY ? 0 : least
    }
    return out
  }

  #look(x: Float32Array, row: number, without = false): number {
    const { dim, components } = this
    const from = row * dim
    for (let c = 0; c < components; c++) {
      const pulls = this.#without.subarray(c * dim, (c + 1) * dim).fill(0)
      const mean = c * dim
      let distance = 0
      for (let i = 0, at = c * dim * dim; i < dim; i++, at += dim) {
        let white = 0
        for (let j = 0; j <= i; j++) white += this.#whitenings[at + j] * (x[from + j] - this.#means[mean + j])
        distance += white * white
        if (without) for (let j = 0; j <= i; j++) pulls[j] += this.#whitenings[at + j] * white
      }
      this.#whole[c] = this.#constants[c] - 0.5 * distance
      if (!without) continue
      for (let j = 0; j < dim; j++) {
        const own = this.#diagonal[mean + j]
        pulls[j] = this.#whole[c] + 0.5 * (pulls[j] ** 2 / own + LOG_2_PI - Math.log(own))
      }
    }
    return Math.max(LEAST, logSumExp(this.#whole, 0, 1, components))
  }
}

function logSumExp(values: Float64Array, from: number, stride: number, count: number): number {
  let peak = values[from]
  for (let c = 1; c < count; c++) peak = Math.max(peak, values[from + c * stride])
  let sum = 0
  for (let c = 0; c < count; c++) sum += Math.exp(values[from + c * stride] - peak)
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
