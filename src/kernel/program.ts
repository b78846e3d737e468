import type { AffineCouplingSpec, FlowSpec, FlowWeights } from '../core/flow-spec.ts'
import { contextWidth } from '../core/flow-spec.ts'
import { type AffineMap, identityMap, thenBijector } from './affine-map.ts'
import { packMatrix, pad4 } from './packing.ts'
import { tensor } from './tensor.ts'

/** Operations and header words that src/kernel/assembly/program.ts reads. */
const OPERATION = { end: 0, dense: 1, select: 2, coupling: 3 } as const
const HEADER_WORDS = 6

/** A flow ready to be placed in kernel memory: `words` hold addresses relative to the data where `relocate` says. */
export interface Program {
  readonly words: Int32Array
  /** Indices of words that are addresses. Those below `header` point to words, the others to data. */
  readonly dataAddresses: readonly number[]
  readonly codeAddress: number
  readonly data: Float32Array
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
  out.push(dim, context.numeric, context.embeddings.length, width, 0, 0)
  context.embeddings.forEach(({ levels, width: columns }, e) => {
    out.push(levels, columns)
    out.floats(tensor(weights, `context.embedding.${e}`, levels, columns))
  })
  const code = out.length
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
  const words = out.words()
  words[4] = pad4(widest)
  words[5] = code * 4
  return { words, dataAddresses: out.addresses, codeAddress: HEADER_WORDS - 1, data: out.data(), constant }
}

function emitMap(out: Emitter, map: AffineMap): void {
  const dim = map.bias.length
  if (map.kind === 'dense') {
    out.push(OPERATION.dense)
    out.floats(packMatrix(map.matrix, dim, dim))
    out.floats(map.bias)
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
  const widths = [spec.split + context, ...spec.hidden, 2 * (dim - spec.split)]
  out.push(OPERATION.coupling, spec.split, floatBits(spec.maxLogScale), widths.length - 1)
  for (let i = 0; i + 1 < widths.length; i++) {
    const [inputs, outputs] = [widths[i], widths[i + 1]]
    out.push(inputs, outputs)
    out.floats(packMatrix(tensor(weights, `${name}.weight.${i}`, outputs, inputs), outputs, inputs))
    out.floats(tensor(weights, `${name}.bias.${i}`, outputs))
  }
  return Math.max(...widths)
}

function floatBits(value: number): number {
  return new Int32Array(new Float32Array([value]).buffer)[0]
}

class Emitter {
  readonly addresses: number[] = []
  private readonly code: number[] = []
  private readonly chunks: Float32Array[] = []
  private size = 0

  get length(): number {
    return this.code.length
  }
  push(...words: number[]): void {
    this.code.push(...words)
  }
  /** Appends data, padded to 16 floats so that every array begins on a cache line, and its address to the code. */
  floats(values: ArrayLike<number>): void {
    const chunk = new Float32Array((values.length + 4 + 15) & ~15)
    chunk.set(values)
    this.addresses.push(this.code.length)
    this.code.push(this.size * 4)
    this.chunks.push(chunk)
    this.size += chunk.length
  }
  integers(values: Int32Array): void {
    this.floats(new Float32Array(Int32Array.from(values).buffer))
  }
  words(): Int32Array {
    return Int32Array.from(this.code)
  }
  data(): Float32Array {
    const all = new Float32Array(this.size)
    let at = 0
    for (const chunk of this.chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    return all
  }
}
