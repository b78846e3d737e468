import type { BijectorSpec, FlowSpec, FlowWeights } from '../../src/core/flow-spec.ts'
import { contextColumns } from '../../src/core/flow-spec.ts'

/** log p of one record and the sizes of its parts, float64. */
export interface ReferenceResult {
  readonly logProb: number
  readonly logBase: number
  /** Σ over the bijectors of |log-det|. */
  readonly absLogDet: number
  readonly latent: Float64Array
}

/** FlowSpec's definitions written out in float64, one record at a time, with no regard to speed. */
export function referenceScore(
  spec: FlowSpec,
  weights: FlowWeights,
  x: Float32Array,
  context: Float32Array | undefined,
  row: number,
): ReferenceResult {
  const { dim } = spec
  const columns = contextColumns(spec.context)
  const seen = lookUp(
    spec,
    weights,
    context?.subarray(row * columns, (row + 1) * columns) ?? new Float32Array(),
  )
  let state = Float64Array.from(x.subarray(row * dim, (row + 1) * dim))
  let logDet = 0
  let absLogDet = 0
  spec.bijectors.forEach((bijector, i) => {
    const [next, term] = apply(bijector, (name) => weights.get(`${i}.${name}`)!.data, state, seen)
    state = next
    logDet += term
    absLogDet += Math.abs(term)
  })
  const logBase = state.reduce((sum, z) => sum - 0.5 * z * z, -0.5 * dim * Math.log(2 * Math.PI))
  return { logProb: logBase + logDet, logBase, absLogDet, latent: state }
}

function lookUp(spec: FlowSpec, weights: FlowWeights, row: Float32Array): number[] {
  const { numeric, embeddings } = spec.context
  const tables = embeddings.flatMap(({ width }, e) => {
    const code = row[numeric + e]
    return [...weights.get(`context.embedding.${e}`)!.data.subarray(code * width, (code + 1) * width)]
  })
  return [...row.subarray(0, numeric), ...tables]
}

function apply(
  spec: BijectorSpec,
  tensor: (name: string) => Float32Array,
  x: Float64Array,
  context: readonly number[],
): [Float64Array<ArrayBuffer>, number] {
  const dim = x.length
  switch (spec.kind) {
    case 'actnorm': {
      const logScale = tensor('log_scale')
      return [x.map((v, d) => v * Math.exp(logScale[d]) + tensor('bias')[d]), sum(logScale)]
    }
    case 'permutation':
      return [Float64Array.from(spec.order, (d) => x[d]), 0]
    case 'rotation':
      return [times(tensor('matrix'), x, dim), 0]
    case 'lu-linear': {
      const logDiagonal = tensor('log_diagonal')
      const upper = Float64Array.from(tensor('upper'), (v, i) => {
        const [r, c] = [Math.floor(i / dim), i % dim]
        if (r === c) return tensor('sign')[r] * Math.exp(logDiagonal[r])
        return c > r ? v : 0
      })
      const lower = Float64Array.from(tensor('lower'), (v, i) => {
        const [r, c] = [Math.floor(i / dim), i % dim]
        if (r === c) return 1
        return c < r ? v : 0
      })
      const y = times(lower, times(upper, x, dim), dim)
      return [Float64Array.from(tensor('permutation'), (p) => y[p]), sum(logDiagonal)]
    }
    case 'affine-coupling': {
      const moved = dim - spec.split
      let h = Float64Array.from([...x.subarray(0, spec.split), ...context])
      for (let i = 0; i <= spec.hidden.length; i++) {
        const bias = tensor(`bias.${i}`)
        const y = times(tensor(`weight.${i}`), h, bias.length).map((v, o) => v + bias[o])
        h = i < spec.hidden.length ? y.map((v) => Math.max(0, v)) : y
      }
      const s = h.subarray(0, moved).map((q) => spec.maxLogScale * Math.tanh(q / spec.maxLogScale))
      const z = x.map((v, d) =>
        d < spec.split ? v : v * Math.exp(s[d - spec.split]) + h[moved + d - spec.split],
      )
      return [z, sum(s)]
    }
  }
}

function times(matrix: ArrayLike<number>, x: Float64Array, rows: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: rows }, (_, r) => {
    let total = 0
    for (let c = 0; c < x.length; c++) total += matrix[r * x.length + c] * x[c]
    return total
  })
}
function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, v) => total + v, 0)
}
