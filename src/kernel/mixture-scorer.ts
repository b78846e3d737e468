import { SurprisalError } from '../core/errors.ts'
import type { FlowWeights } from '../core/flow-spec.ts'
import type { Kernel } from './kernel.ts'
import { compileMixture } from './mixture-program.ts'

/** Floats of x that are copied into the kernel at a time. */
const CHUNK_FLOATS = 65_536

/**
 * Judges records by their weakest field under a Gaussian mixture, in the calling thread and in float32:
 * |a − b| ≤ 2e-5 · (1 + |b|) + 1e-6 · Q beside float64, Q the squared distance of the record from its farthest mean in
 * that component's deviations. The combination takes asinh of it, so what is far off costs a p-value its last digits.
 * A record's result is the same bits alone and in any batch. `dispose` gives its memory back.
 */
export class MixtureScorer {
  readonly #kernel: Kernel
  readonly #dim: number
  readonly #chunk: number
  readonly #program: number
  readonly #data: number
  readonly #buffers: number
  #disposed = false

  /** FLOW_SPEC_INVALID where the weights lack a tensor or have another shape than `dim` asks for. */
  constructor(kernel: Kernel, weights: FlowWeights, dim: number) {
    const emitter = compileMixture(weights, dim)
    const data = emitter.data()
    this.#kernel = kernel
    this.#dim = dim
    this.#chunk = Math.max(64, Math.floor(CHUNK_FLOATS / dim) & ~63)
    this.#data = kernel.arena.allocate(data.byteLength)
    this.#program = kernel.arena.allocate(emitter.length * 4)
    kernel.floats(this.#data, data.length).set(data)
    const words = emitter.words({ words: this.#program, data: this.#data, parameters: 0 })
    kernel.words(this.#program, words.length).set(words)
    const scratch = kernel.exports.mixtureScratchBytes(this.#program)
    this.#buffers = kernel.arena.allocate(this.#chunk * (4 + 5 * dim) + scratch)
  }

  /**
   * min_j (log p(x_j | x_−j) − median_j) of every row of x [rows, dim], nats: how surprising the most surprising value
   * of a record is, given its others and beside what is usual for that dimension. Values marked 1 in `fill` [rows, dim]
   * are not there and are not judged; 0 where none is.
   */
  weakest(
    x: Float32Array,
    rows: number,
    fill?: Uint8Array,
    out: Float64Array = new Float64Array(rows),
  ): Float64Array {
    const dim = this.#dim
    if (this.#disposed) throw new SurprisalError('INTERNAL', 'this scorer has been disposed of')
    if (x.length < rows * dim || (fill !== undefined && fill.length < rows * dim))
      throw new SurprisalError('USAGE', `${rows} rows need ${rows * dim} values; got ${x.length}`)
    const kernel = this.#kernel
    const chunk = this.#chunk
    const xAt = this.#buffers
    const outAt = xAt + chunk * dim * 4
    const fillAt = outAt + chunk * 4
    const scratch = fillAt + chunk * dim
    for (let start = 0; start < rows; start += chunk) {
      const n = Math.min(chunk, rows - start)
      const [from, to] = [start * dim, (start + n) * dim]
      kernel.floats(xAt, n * dim).set(x.subarray(from, to))
      if (fill) kernel.bytes(fillAt, n * dim).set(fill.subarray(from, to))
      kernel.exports.weakest(this.#program, xAt, fill ? fillAt : 0, n, outAt, scratch)
      out.set(kernel.floats(outAt, n), start)
    }
    return out
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const block of [this.#data, this.#program, this.#buffers]) this.#kernel.arena.free(block)
  }
}
