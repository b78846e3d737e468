import type { FlowWeights } from '../core/flow-spec.ts'
import { Emitter } from './emitter.ts'
import { tensor } from './tensor.ts'

const LOG_2_PI = Math.log(2 * Math.PI)

/**
 * Compiles a Gaussian mixture for `weakest`: log_weight [K], mean [K, D], whitening [K, D, D] (lower triangular W with
 * precision P = Wᵀ W), median [D]. What depends on no record is computed in float64.
 */
export function compileMixture(weights: FlowWeights, dim: number): Emitter {
  const components = weights.get('log_weight')?.data.length ?? 0
  const logWeight = tensor(weights, 'log_weight', components)
  const mean = tensor(weights, 'mean', components, dim)
  const whitening = tensor(weights, 'whitening', components, dim, dim)
  const median = tensor(weights, 'median', dim)
  const constants = Float64Array.from(logWeight, (w) => w - 0.5 * dim * LOG_2_PI)
  const diagonal = new Float64Array(components * dim)
  const triangles: number[] = []
  const pulls: number[] = []
  for (let c = 0; c < components; c++) {
    const w = (i: number, j: number): number => (j <= i && i < dim ? whitening[(c * dim + i) * dim + j] : 0)
    for (let i = 0; i < dim; i++) {
      constants[c] += Math.log(w(i, i))
      for (let j = 0; j <= i; j++) diagonal[c * dim + j] += w(i, j) ** 2
    }
    for (let first = 0; first < dim; first += 4) {
      for (let j = 0; j < Math.min(first + 4, dim); j++)
        for (let o = 0; o < 4; o++) triangles.push(w(first + o, j))
      for (let i = first; i < dim; i++) for (let o = 0; o < 4; o++) pulls.push(w(i, first + o))
    }
  }
  const out = new Emitter()
  out.push(dim, components)
  out.floats(mean)
  out.floats(triangles)
  out.floats(pulls)
  out.floats(constants)
  out.floats(diagonal.map((own) => 0.5 / own))
  out.floats(diagonal.map((own) => 0.5 * (LOG_2_PI - Math.log(own))))
  out.floats(median)
  return out
}
