import { SurprisalError } from '../core/errors.ts'
import { contextColumns, type FlowSpec, type FlowWeights } from '../core/flow-spec.ts'
import type { Kernel } from './kernel.ts'
import { compile } from './program.ts'

/** Floats of x and context that are copied into the kernel at a time. */
const CHUNK_FLOATS = 65_536

/**
 * log p of records under one flow, in the calling thread. Scorers of a kernel share its memory; `dispose` gives a
 * flow's part back. A record's result is the same bits alone and in any batch.
 * Records with NaN or infinities, and context codes that name no level, come out as NaN or −∞.
 */
export class FlowScorer {
  private readonly kernel: Kernel
  private readonly dim: number
  private readonly columns: number
  private readonly constant: number
  private readonly chunk: number
  private readonly program: number
  private readonly data: number
  private readonly buffers: number
  private disposed = false

  /** Throws FLOW_SPEC_INVALID where the weights lack a tensor or have another shape than the spec's. */
  constructor(kernel: Kernel, spec: FlowSpec, weights: FlowWeights) {
    const { emitter, constant } = compile(spec, weights)
    this.kernel = kernel
    this.dim = spec.dim
    this.columns = contextColumns(spec.context)
    this.constant = constant
    this.chunk = Math.max(64, (CHUNK_FLOATS / (this.dim + this.columns)) & ~63)
    const data = emitter.data()
    this.data = kernel.arena.allocate(data.byteLength)
    this.program = kernel.arena.allocate(emitter.length * 4)
    kernel.floats(this.data, data.length).set(data)
    const words = emitter.words({ words: this.program, data: this.data, parameters: 0 })
    kernel.words(this.program, words.length).set(words)
    const perRow = 8 + 4 * (2 * this.dim + this.columns)
    this.buffers = kernel.arena.allocate(this.chunk * perRow + kernel.exports.scratchBytes(this.program))
  }

  /** log p(x | context), nats per record, float64: x [rows, dim], context [rows, context columns]. */
  logProb(
    x: Float32Array,
    context: Float32Array | undefined,
    rows: number,
    out: Float64Array = new Float64Array(rows),
  ): Float64Array {
    this.run(x, context, rows, out, undefined)
    return out
  }

  /** z = f⁻¹(x), [rows, dim]: standard normal where the flow fits. */
  latents(
    x: Float32Array,
    context: Float32Array | undefined,
    rows: number,
    out: Float32Array = new Float32Array(rows * this.dim),
  ): Float32Array {
    this.run(x, context, rows, undefined, out)
    return out
  }

  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    for (const block of [this.data, this.program, this.buffers]) this.kernel.arena.free(block)
  }

  private run(
    x: Float32Array,
    context: Float32Array | undefined,
    rows: number,
    logProbs: Float64Array | undefined,
    latents: Float32Array | undefined,
  ): void {
    const { kernel, dim, columns, chunk } = this
    this.check(x, context, rows)
    const outAt = this.buffers
    const latentsAt = outAt + chunk * 8
    const xAt = latentsAt + chunk * dim * 4
    const contextAt = xAt + chunk * dim * 4
    const scratch = contextAt + chunk * columns * 4
    for (let start = 0; start < rows; start += chunk) {
      const n = Math.min(chunk, rows - start)
      kernel.floats(xAt, n * dim).set(x.subarray(start * dim, (start + n) * dim))
      if (context && columns > 0)
        kernel.floats(contextAt, n * columns).set(context.subarray(start * columns, (start + n) * columns))
      kernel.exports.score(
        this.program,
        xAt,
        contextAt,
        n,
        this.constant,
        outAt,
        latents ? latentsAt : 0,
        scratch,
      )
      logProbs?.set(kernel.doubles(outAt, n), start)
      latents?.set(kernel.floats(latentsAt, n * dim), start * dim)
    }
  }

  private check(x: Float32Array, context: Float32Array | undefined, rows: number): void {
    if (this.disposed) throw new SurprisalError('INTERNAL', 'this scorer has been disposed of')
    const given = context?.length ?? 0
    if (x.length < rows * this.dim || given < rows * this.columns)
      throw new SurprisalError(
        'USAGE',
        `${rows} rows need ${rows * this.dim} values and ${rows * this.columns} context values ` +
          `(dim ${this.dim}, ${this.columns} context columns); got ${x.length} and ${given}`,
      )
  }
}
