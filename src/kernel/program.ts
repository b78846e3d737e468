import type { AffineCouplingSpec, FlowSpec, FlowWeights } from '../core/flow-spec.ts'
import { conditionerWidths, contextWidth } from '../core/flow-spec.ts'
import { type AffineMap, identityMap, thenBijector } from './affine-map.ts'
import { Emitter, floatBits } from './emitter.ts'
import { packMatrix, packStripes, pad4 } from './packing.ts'
import { tensor } from './tensor.ts'

/** Operations that src/kernel/assembly/program.ts reads. */
const OPERATION = { end: 0, dense: 1, select: 2, coupling: 3 } as const

/** Words of a program's header: dim, numeric context, embeddings, context width, widest activation, code address. */
export const HEADER = { width: 4, code: 5, words: 6 } as const

/** A flow ready to be placed in kernel memory. */
export interface Program {
  readonly emitter: Emitter
  /** Σ log|det| of what depends on no record, and the base's −½ dim · log 2π. Float64, nats. */
  readonly constant: number
}

/**
 * Compiles a flow for scoring. Every maximal run of actnorms, permutations, rotations and LU layers becomes one
 * affine map, computed in float64: a dense one, or a selection with scale and bias where no matrix is in it.
 */
export function compile(spec: FlowSpec, weights: FlowWeights): Program {
  const { dim, context } = spec
  const width = contextWidth(context)
  const out = new Emitter()
  let constant = -0.5 * dim * Math.log(2 * Math.PI)
  let widest = 4
  out.push(dim, context.numeric, context.embeddings.length, width, 0)
  const code = HEADER.words + 3 * context.embeddings.length
  out.address('words', code)
  context.embeddings.forEach(({ levels, width: columns }, e) => {
    out.push(levels, columns)
    out.floats(tensor(weights, `context.embedding.${e}`, levels, columns))
  })
  let run: AffineMap | undefined
  const flush = (): void => {
    if (!run) return
    constant += run.logDet
    emitMap(out, run)
    run = undefined
  }
  spec.bijectors.forEach((bijector, i) => {
    if (bijector.kind === 'affine-coupling') {
      flush()
      widest = Math.max(widest, emitCoupling(out, bijector, weights, `${i}`, dim, width))
    } else run = thenBijector(run ?? identityMap(dim), bijector, weights, `${i}`, dim)
  })
  flush()
  out.push(OPERATION.end)
  out.patch(HEADER.width, pad4(widest))
  return { emitter: out, constant }
}

function emitMap(out: Emitter, map: AffineMap): void {
  const dim = map.bias.length
  if (map.kind === 'dense') {
    out.push(OPERATION.dense)
    out.floats(packMatrix(map.matrix, dim, dim))
    out.floats(map.bias)
    out.floats(packStripes(map.matrix, dim, dim))
  } else {
    out.push(OPERATION.select)
    out.integers(map.source)
    out.floats(map.scale)
    out.floats(map.bias)
  }
}

/** Returns the widest activation. */
function emitCoupling(
  out: Emitter,
  spec: AffineCouplingSpec,
  weights: FlowWeights,
  name: string,
  dim: number,
  context: number,
): number {
  const widths = conditionerWidths(spec, dim, context)
  out.push(OPERATION.coupling, spec.split, floatBits(spec.maxLogScale), widths.length - 1)
  for (let i = 0; i + 1 < widths.length; i++) {
    const [inputs, outputs] = [widths[i], widths[i + 1]]
    out.push(inputs, outputs)
    const matrix = tensor(weights, `${name}.weight.${i}`, outputs, inputs)
    out.floats(packMatrix(matrix, outputs, inputs))
    out.floats(tensor(weights, `${name}.bias.${i}`, outputs))
    out.floats(packStripes(matrix, outputs, inputs))
  }
  return Math.max(...widths)
}
