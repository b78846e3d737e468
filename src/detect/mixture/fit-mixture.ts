import { setImmediate as turn } from 'node:timers/promises'
import { throwIfAborted } from '../../core/errors.ts'
import type { Matrix } from '../../core/flow-spec.ts'
import { random } from '../../core/random.ts'
import { quantile } from '../../features/columns/scaling.ts'
import { cholesky, inverseOfLower } from './cholesky.ts'
import { clusters } from './clusters.ts'
import { GaussianMixture } from './gaussian-mixture.ts'

export interface MixtureOptions {
  /** [dim]: variance of the noise that values are thought to carry, added to every covariance; above 0. */
  readonly noise: ArrayLike<number>
  readonly seed: number
  readonly signal?: AbortSignal
}
export interface FittedMixture {
  readonly mixture: GaussianMixture
  /** Mean −log p of the held-out rows, nats. */
  readonly heldOutNll: number
}

const COMPONENTS = [1, 2, 4, 8, 16]
/** A component needs this many rows a dimension to have a covariance of its own. */
const ROWS_PER_DIM = 5
const ITERATIONS = 40
const TOLERANCE = 1e-3
/** As in the flows' held-out loss: one absurd record must not choose the model. */
const NLL_LIMIT_PER_DIM = 200
/** Rows that a component answers for less than this do not move it. */
const NEGLIGIBLE = 1e-6

/**
 * A Gaussian mixture with full covariances by expectation-maximisation (Dempster, Laird and Rubin 1977) from a k-means
 * start, with 1, 2, 4, 8 or 16 components, whichever gives the held-out rows the highest likelihood. Learns from at most
 * 4000 rows, fewer above 20 dimensions, evenly taken. Seeded; ABORTED on the signal.
 */
export async function fitMixture(
  train: Matrix,
  heldOut: Matrix,
  options: MixtureOptions,
): Promise<FittedMixture> {
  const dim = train.columns
  const most = Math.max(20 * dim, Math.min(4000, Math.round(1.6e6 / dim ** 2)))
  const sample = evenRows(train, most)
  const judged = evenRows(heldOut, most)
  const limit = -NLL_LIMIT_PER_DIM * dim
  let best: FittedMixture | undefined
  for (const components of COMPONENTS) {
    if (best !== undefined && sample.rows < components * ROWS_PER_DIM * dim) break
    const found = await maximise(sample, components, options)
    const logProb = found.logProb(judged.data, judged.rows)
    const heldOutNll = -logProb.reduce((sum, l) => sum + Math.max(limit, l), 0) / judged.rows
    if (best === undefined || heldOutNll < best.heldOutNll) best = { mixture: found, heldOutNll }
  }
  const { mixture, heldOutNll } = best!
  return { mixture: withMedians(mixture, sample), heldOutNll }
}

async function maximise(
  sample: Matrix,
  components: number,
  { noise, seed, signal }: MixtureOptions,
): Promise<GaussianMixture> {
  const { rows, data } = sample
  const shares = new Float64Array(rows * components)
  clusters(sample, components, random(seed)).forEach((c, row) => {
    shares[row * components + c] = 1
  })
  let last = Number.NEGATIVE_INFINITY
  for (let iteration = 1; ; iteration++) {
    throwIfAborted(signal)
    const mixture = momentsOf(sample, shares, components, noise)
    const likelihood = mixture.respond(data, rows, shares)
    if (iteration === ITERATIONS || likelihood - last < TOLERANCE) return mixture
    last = likelihood
    await turn()
  }
}

/** Weight, mean and covariance of the rows that each component answers for. One without rows is round about 0. */
function momentsOf(
  { rows, columns: dim, data }: Matrix,
  shares: Float64Array,
  components: number,
  noise: ArrayLike<number>,
): GaussianMixture {
  const logWeight = new Float32Array(components)
  const mean = new Float32Array(components * dim)
  const whitening = new Float32Array(components * dim * dim)
  const centred = new Float64Array(dim)
  for (let c = 0; c < components; c++) {
    const centre = new Float64Array(dim)
    let mass = 0
    for (let row = 0; row < rows; row++) {
      const share = shares[row * components + c]
      if (share < NEGLIGIBLE) continue
      mass += share
      for (let d = 0; d < dim; d++) centre[d] += share * data[row * dim + d]
    }
    for (let d = 0; d < dim; d++) centre[d] /= Math.max(1, mass)
    const covariance = new Float64Array(dim * dim)
    for (let row = 0; row < rows; row++) {
      const share = shares[row * components + c]
      if (share < NEGLIGIBLE) continue
      for (let d = 0; d < dim; d++) centred[d] = data[row * dim + d] - centre[d]
      for (let i = 0, at = 0; i < dim; i++, at += dim) {
        const scaled = (share / Math.max(1, mass)) * centred[i]
        for (let j = 0; j <= i; j++) covariance[at + j] += scaled * centred[j]
      }
    }
    for (let d = 0; d < dim; d++) covariance[d * dim + d] += mass < 1 ? 1 : noise[d]
    const factor = cholesky(covariance, dim) ?? diagonalFactor(covariance, dim)
    logWeight[c] = Math.log(Math.max(mass, NEGLIGIBLE) / rows)
    mean.set(centre, c * dim)
    whitening.set(inverseOfLower(factor, dim), c * dim * dim)
  }
  return new GaussianMixture(
    new Map([
      ['log_weight', { shape: [components], data: logWeight }],
      ['mean', { shape: [components, dim], data: mean }],
      ['whitening', { shape: [components, dim, dim], data: whitening }],
      ['median', { shape: [dim], data: new Float32Array(dim) }],
    ]),
    dim,
  )
}

/** What rounding has made singular keeps its variances. */
function diagonalFactor(covariance: Float64Array, dim: number): Float64Array {
  return Float64Array.from(covariance, (v, i) => (i % (dim + 1) === 0 ? Math.sqrt(v) : 0))
}

function withMedians(mixture: GaussianMixture, { data, rows }: Matrix): GaussianMixture {
  const { dim, tensors } = mixture
  const conditionals = mixture.conditionals(data, rows)
  const median = Float32Array.from({ length: dim }, (_, j) =>
    quantile(Float64Array.from({ length: rows }, (_, row) => conditionals[row * dim + j]).sort(), 0.5),
  )
  return new GaussianMixture(new Map([...tensors, ['median', { shape: [dim], data: median }]]), dim)
}

function evenRows({ rows, columns, data }: Matrix, most: number): Matrix {
  if (rows <= most) return { rows, columns, data }
  const taken = new Float32Array(most * columns)
  for (let i = 0; i < most; i++) {
    const row = Math.floor((i * rows) / most)
    taken.set(data.subarray(row * columns, (row + 1) * columns), i * columns)
  }
  return { rows: most, columns, data: taken }
}
