import type { AffineCouplingSpec, FlowSpec, FlowWeights } from '../core/flow-spec.ts'
import { conditionerWidths, contextWidth } from '../core/flow-spec.ts'
import { Emitter, floatBits } from './emitter.ts'
import { packedIndex, packedSize, packMatrix, pad4 } from './packing.ts'
import { HEADER } from './program.ts'
import { tensor } from './tensor.ts'

/** Operations that src/kernel/assembly/training/program.ts reads. */
const OPERATION = { rotation: 1, permutation: 2, coupling: 3, actnorm: 4, factor: 5 } as const
/** A tile is 8 blocks of 8 records. */
const BLOCK_FEATURE_BYTES = 32
const TILE_BLOCKS = 8
const TRAINED = -1

/** Where each number of a trainable tensor lies among the parameters; −1 for numbers that are never read. */
export interface ParameterPlace {
  readonly name: string
  readonly shape: readonly number[]
  readonly places: Int32Array
}

export interface TrainingProgram {
  readonly emitter: Emitter
  readonly operations: number
  readonly tensors: readonly ParameterPlace[]
  /** The operation that each actnorm is, and its bijector's index. */
  readonly actnorms: readonly { readonly bijector: number; readonly operation: number }[]
  /** Parameters that are 1 whatever the weights: the unit diagonals of lower factors. */
  readonly ones: readonly number[]
}

/**
 * Compiles a flow for training: bijectors keep their order and their states; an LU layer is its two triangular
 * factors, so that their gradients fall out of the same products as a coupling's.
 */
export function compileTraining(spec: FlowSpec, weights: FlowWeights): TrainingProgram {
  return new Compiler(spec, weights).compile()
}

class Compiler {
  private readonly out = new Emitter()
  private readonly tensors: ParameterPlace[] = []
  private readonly actnorms: { bijector: number; operation: number }[] = []
  private readonly ones: number[] = []
  private readonly spec: FlowSpec
  private readonly weights: FlowWeights
  private readonly list: number
  private operations = 0
  private tape: number
  private widest: number

  constructor(spec: FlowSpec, weights: FlowWeights) {
    this.spec = spec
    this.weights = weights
    this.list = HEADER.words + 3 * spec.context.embeddings.length
    this.widest = pad4(spec.dim)
    this.tape = this.stateBytes
  }

  compile(): TrainingProgram {
    const { out, list } = this
    const { dim, context, bijectors } = this.spec
    const operations = bijectors.length + bijectors.filter((b) => b.kind === 'lu-linear').length
    out.push(dim, context.numeric, context.embeddings.length, contextWidth(context), 0)
    out.address('words', list)
    context.embeddings.forEach(({ levels, width }, e) => {
      out.push(levels, width)
      this.vector(`context.embedding.${e}`, levels, width)
    })
    out.push(0, operations)
    for (let i = 0; i < operations; i++) out.address('words', 0)
    bijectors.forEach((_, i) => {
      this.bijector(i)
    })
    out.patch(HEADER.width, this.widest)
    out.patch(list, this.tape)
    return { emitter: out, operations, tensors: this.tensors, actnorms: this.actnorms, ones: this.ones }
  }

  private get stateBytes(): number {
    return pad4(this.spec.dim) * BLOCK_FEATURE_BYTES * TILE_BLOCKS
  }

  private bijector(i: number): void {
    const { out, weights } = this
    const { dim, bijectors } = this.spec
    const spec = bijectors[i]
    switch (spec.kind) {
      case 'rotation': {
        const matrix = tensor(weights, `${i}.matrix`, dim, dim)
        this.begin(OPERATION.rotation)
        out.floats(packMatrix(matrix, dim, dim, pad4(dim)))
        out.floats(packMatrix(transposed(matrix, dim), dim, dim, pad4(dim)))
        break
      }
      case 'permutation':
        this.begin(OPERATION.permutation)
        out.integers(Int32Array.from(spec.order))
        break
      case 'actnorm':
        this.actnorms.push({ bijector: i, operation: this.operations })
        this.begin(OPERATION.actnorm)
        this.vector(`${i}.log_scale`, dim)
        this.vector(`${i}.bias`, dim)
        out.reserve(dim)
        break
      case 'lu-linear':
        this.upperFactor(i)
        this.lowerFactor(i)
        break
      case 'affine-coupling':
        this.coupling(i, spec)
    }
  }

  /** Starts an operation, which leaves its state in a part of the tape of its own. */
  private begin(kind: number): void {
    this.out.patch(this.list + 2 + this.operations, this.out.length * 4)
    this.out.push(kind, this.tape)
    this.tape += this.stateBytes
    this.operations += 1
  }

  private vector(name: string, ...shape: number[]): void {
    const { length } = tensor(this.weights, name, ...shape)
    const at = this.out.parameters(length)
    this.tensors.push({ name, shape, places: Int32Array.from({ length }, (_, i) => at + i) })
  }

  /** A weight matrix, packed, its inputs padded to fours. */
  private matrix(name: string, outputs: number, inputs: number): void {
    tensor(this.weights, name, outputs, inputs)
    const padded = pad4(inputs)
    const at = this.out.parameters(packedSize(outputs, padded))
    const places = new Int32Array(outputs * inputs)
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) places[o * inputs + i] = at + packedIndex(o, i, padded)
    this.tensors.push({ name, shape: [outputs, inputs], places })
  }

  private upperFactor(i: number): void {
    const { dim } = this.spec
    this.begin(OPERATION.factor)
    this.triangle(`${i}.upper`, (r, c) => (c > r ? r : -1))
    this.vector(`${i}.log_diagonal`, dim)
    this.out.floats(tensor(this.weights, `${i}.sign`, dim))
  }

  /** With its rows already permuted: row r is row permutation[r] of L. */
  private lowerFactor(i: number): void {
    const { dim } = this.spec
    const permutation = tensor(this.weights, `${i}.permutation`, dim)
    const rowOf = new Int32Array(dim)
    permutation.forEach((p, r) => {
      rowOf[p] = r
    })
    this.begin(OPERATION.factor)
    const at = this.triangle(`${i}.lower`, (r, c) => (c < r ? rowOf[r] : -1))
    for (let d = 0; d < dim; d++) this.ones.push(at + packedIndex(rowOf[d], d, pad4(dim)))
    this.out.push(0, 0)
  }

  /** Weights, transpose and mask; `row` gives the packed row of an element, −1 for elements that are not read. */
  private triangle(name: string, row: (r: number, c: number) => number): number {
    const { dim } = this.spec
    tensor(this.weights, name, dim, dim)
    const padded = pad4(dim)
    const size = packedSize(dim, padded)
    const at = this.out.parameters(size)
    this.out.reserve(size)
    const mask = new Int32Array(size)
    const places = new Int32Array(dim * dim)
    for (let r = 0; r < dim; r++)
      for (let c = 0; c < dim; c++) {
        const packedRow = row(r, c)
        const place = packedRow < 0 ? -1 : packedIndex(packedRow, c, padded)
        places[r * dim + c] = place < 0 ? -1 : at + place
        if (place >= 0) mask[place] = TRAINED
      }
    this.out.integers(mask)
    this.tensors.push({ name, shape: [dim, dim], places })
    return at
  }

  private coupling(i: number, spec: AffineCouplingSpec): void {
    const widths = conditionerWidths(spec, this.spec.dim, contextWidth(this.spec.context))
    const padded = widths.map(pad4)
    const blockBytes = padded.reduce((sum, w) => sum + w, 0) * BLOCK_FEATURE_BYTES
    this.widest = Math.max(this.widest, ...padded)
    this.begin(OPERATION.coupling)
    this.out.push(spec.split, floatBits(spec.maxLogScale), widths.length - 1, this.tape, blockBytes)
    this.tape += blockBytes * TILE_BLOCKS
    let row = padded[0]
    for (let layer = 0; layer + 1 < widths.length; layer++) {
      const [inputs, outputs] = [widths[layer], widths[layer + 1]]
      this.out.push(padded[layer], outputs)
      this.matrix(`${i}.weight.${layer}`, outputs, inputs)
      this.vector(`${i}.bias.${layer}`, outputs)
      this.out.reserve(packedSize(inputs, padded[layer + 1]))
      this.out.push(row * BLOCK_FEATURE_BYTES)
      row += padded[layer + 1]
    }
  }
}

function transposed(matrix: Float32Array, dim: number): Float32Array {
  return Float32Array.from(matrix, (_, i) => matrix[(i % dim) * dim + Math.floor(i / dim)])
}
