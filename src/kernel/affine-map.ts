import type { BijectorSpec, FlowWeights } from '../core/flow-spec.ts'
import { tensor } from './tensor.ts'

/** Couplings apart, every bijector is affine: z = A x + b with a known log|det A|. */
export type LinearSpec = Exclude<BijectorSpec, { readonly kind: 'affine-coupling' }>

/** z_d = scale_d · x[source_d] + bias_d. */
export interface Selection {
  readonly kind: 'selection'
  readonly source: Int32Array
  readonly scale: Float64Array
  readonly bias: Float64Array
  readonly logDet: number
}
/** z = A x + b, A row-major. */
export interface Dense {
  readonly kind: 'dense'
  readonly matrix: Float64Array
  readonly bias: Float64Array
  readonly logDet: number
}
export type AffineMap = Selection | Dense

export function identityMap(dim: number): AffineMap {
  return {
    kind: 'selection',
    source: Int32Array.from({ length: dim }, (_, d) => d),
    scale: new Float64Array(dim).fill(1),
    bias: new Float64Array(dim),
    logDet: 0,
  }
}

/** The map that does `first`, then the bijector: runs of bijectors collapse to one map, in float64. */
export function thenBijector(
  first: AffineMap,
  spec: LinearSpec,
  weights: FlowWeights,
  name: string,
  dim: number,
): AffineMap {
  switch (spec.kind) {
    case 'actnorm': {
      const logScale = Float64Array.from(tensor(weights, `${name}.log_scale`, dim))
      const bias = tensor(weights, `${name}.bias`, dim)
      return thenSelection(first, {
        ...(identityMap(dim) as Selection),
        scale: logScale.map(Math.exp),
        bias: Float64Array.from(bias),
        logDet: logScale.reduce((sum, s) => sum + s, 0),
      })
    }
    case 'permutation':
      return thenSelection(first, { ...(identityMap(dim) as Selection), source: Int32Array.from(spec.order) })
    case 'rotation':
      return thenMatrix(first, Float64Array.from(tensor(weights, `${name}.matrix`, dim, dim)), 0)
    case 'lu-linear': {
      const logDiagonal = tensor(weights, `${name}.log_diagonal`, dim)
      const logDet = logDiagonal.reduce((sum, s) => sum + s, 0)
      return thenMatrix(first, luMatrix(weights, name, dim), logDet)
    }
  }
}

/** W = P L (U + diag(sign · exp(log_diagonal))), row-major. */
export function luMatrix(weights: FlowWeights, name: string, dim: number): Float64Array {
  const lower = tensor(weights, `${name}.lower`, dim, dim)
  const upper = tensor(weights, `${name}.upper`, dim, dim)
  const logDiagonal = tensor(weights, `${name}.log_diagonal`, dim)
  const sign = tensor(weights, `${name}.sign`, dim)
  const permutation = tensor(weights, `${name}.permutation`, dim)
  const product = new Float64Array(dim * dim)
  for (let r = 0; r < dim; r++) {
    const row = product.subarray(r * dim, (r + 1) * dim)
    for (let k = 0; k <= r; k++) {
      const l = k === r ? 1 : lower[r * dim + k]
      row[k] += l * sign[k] * Math.exp(logDiagonal[k])
      for (let c = k + 1; c < dim; c++) row[c] += l * upper[k * dim + c]
    }
  }
  const matrix = new Float64Array(dim * dim)
  for (let r = 0; r < dim; r++) {
    const from = permutation[r] * dim
    matrix.set(product.subarray(from, from + dim), r * dim)
  }
  return matrix
}

function thenSelection(first: AffineMap, next: Selection): AffineMap {
  const { source, scale } = next
  const dim = source.length
  const bias = next.bias.map((b, d) => scale[d] * first.bias[source[d]] + b)
  const logDet = first.logDet + next.logDet
  if (first.kind === 'selection')
    return {
      kind: 'selection',
      source: source.map((s) => first.source[s]),
      scale: scale.map((a, d) => a * first.scale[source[d]]),
      bias,
      logDet,
    }
  const matrix = new Float64Array(dim * dim)
  for (let r = 0; r < dim; r++)
    for (let c = 0; c < dim; c++) matrix[r * dim + c] = scale[r] * first.matrix[source[r] * dim + c]
  return { kind: 'dense', matrix, bias, logDet }
}

function thenMatrix(first: AffineMap, next: Float64Array, logDet: number): AffineMap {
  const dim = first.bias.length
  const matrix = new Float64Array(dim * dim)
  const bias = new Float64Array(dim)
  for (let r = 0; r < dim; r++) {
    for (let k = 0; k < dim; k++) {
      const a = next[r * dim + k]
      bias[r] += a * first.bias[k]
      if (first.kind === 'selection') matrix[r * dim + first.source[k]] += a * first.scale[k]
      else for (let c = 0; c < dim; c++) matrix[r * dim + c] += a * first.matrix[k * dim + c]
    }
  }
  return { kind: 'dense', matrix, bias, logDet: first.logDet + logDet }
}
