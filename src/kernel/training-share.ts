import type { Kernel } from './kernel.ts'

/** Where a training flow lies in kernel memory: plain numbers, so that any thread can be handed them. */
export interface TrainingLayout {
  readonly threads: number
  readonly dim: number
  readonly columns: number
  readonly operations: number
  readonly program: number
  /** Floats of all parameters; gradients (one set per thread), moments and parameters have the same layout. */
  readonly size: number
  readonly parameters: number
  readonly gradients: number
  readonly moment1: number
  readonly moment2: number
  /** One float64 per thread each. */
  readonly losses: number
  readonly norms: number
  readonly logDets: number
  /** One area per thread, and the bytes of each. */
  readonly scratch: readonly number[]
  readonly scratchBytes: number
}

/** Data of a piece of work: addresses of x, context and the result. */
export interface Rows {
  readonly x: number
  readonly context: number
  readonly rows: number
}
export interface AdamStep {
  /** Learning rate over 1 − β₁ᵗ, and 1 / (1 − β₂ᵗ). */
  readonly rate: number
  readonly correction: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly clipNorm: number
}

const BLOCK = 8
const LINE = 16

/**
 * One thread's share of the work on a training flow. Rows are dealt in blocks of 8 and parameters in cache lines, by
 * thread index, and partial sums are added in that order: the result depends on the number of threads alone.
 * `barrier` returns once every thread has reached it.
 */
export class TrainingShare {
  private readonly kernel: Kernel
  private readonly layout: TrainingLayout
  private readonly index: number
  private readonly barrier: () => void

  constructor(kernel: Kernel, layout: TrainingLayout, index: number, barrier: () => void) {
    this.kernel = kernel
    this.layout = layout
    this.index = index
    this.barrier = barrier
  }

  /**
   * Gradient of the mean −log p, cut to the norm limit, then one step of Adam; nothing changes where the loss or the
   * norm is not finite.
   */
  step(data: Rows, adam: AdamStep): void {
    const { layout, index, kernel } = this
    const { exports } = kernel
    const bytes = layout.size * 4
    const own = layout.gradients + index * bytes
    kernel.floats(own, layout.size).fill(0)
    const part = this.part(data)
    const delta = own - layout.parameters
    const loss = exports.gradient(
      layout.program,
      part.x,
      part.context,
      part.rows,
      delta,
      layout.scratch[index],
    )
    exports.finishGradient(layout.program, layout.operations, part.rows, delta)
    kernel.doubles(layout.losses, layout.threads)[index] = loss
    this.barrier()

    const [from, to] = share(layout.size, LINE, index, layout.threads)
    const gradient = layout.gradients + from * 4
    kernel.doubles(layout.norms, layout.threads)[index] = exports.sumGradients(
      gradient,
      to - from,
      layout.threads,
      bytes,
    )
    this.barrier()

    const norm = Math.sqrt(total(kernel.doubles(layout.norms, layout.threads))) / data.rows
    if (!Number.isFinite(norm + total(kernel.doubles(layout.losses, layout.threads)))) {
      this.clearScratch()
      return
    }
    exports.adam(
      layout.parameters + from * 4,
      gradient,
      layout.moment1 + from * 4,
      layout.moment2 + from * 4,
      to - from,
      (norm > adam.clipNorm ? adam.clipNorm / norm : 1) / data.rows,
      adam.rate,
      adam.correction,
      adam.beta1,
      1 - adam.beta1,
      adam.beta2,
      1 - adam.beta2,
      adam.epsilon,
    )
    this.barrier()
    this.refresh()
  }

  /** Rows of zeros fill activations up to whole vectors; a NaN must not stay in them. */
  private clearScratch(): void {
    const { layout, index, kernel } = this
    kernel.floats(layout.scratch[index], layout.scratchBytes / 4).fill(0)
  }

  /** Recomputes what this thread's operations derive from their parameters. */
  refresh(): void {
    const { layout, index, kernel } = this
    let logDet = 0
    for (let op = index; op < layout.operations; op += layout.threads)
      logDet += kernel.exports.refresh(layout.program, op)
    kernel.doubles(layout.logDets, layout.threads)[index] = logDet
  }

  /** log p, float64, to `out`. */
  evaluate(data: Rows, constant: number, out: number): void {
    const { layout, index, kernel } = this
    const { x, context, rows, first } = this.part(data)
    kernel.exports.evaluate(
      layout.program,
      x,
      context,
      rows,
      constant,
      out + first * 8,
      layout.scratch[index],
    )
  }

  /** States after operations first … last − 1 to `out`, float32. */
  transform(data: Rows, first: number, last: number, out: number): void {
    const { layout, index, kernel } = this
    const part = this.part(data)
    kernel.exports.transform(
      layout.program,
      first,
      last,
      part.x,
      part.context,
      part.rows,
      out + part.first * layout.dim * 4,
      layout.scratch[index],
    )
  }

  private part({ x, context, rows }: Rows): Rows & { readonly first: number } {
    const { dim, columns, threads } = this.layout
    const [first, end] = share(rows, BLOCK, this.index, threads)
    return { x: x + first * dim * 4, context: context + first * columns * 4, rows: end - first, first }
  }
}

/** Part `index` of `count` things dealt in whole units: [from, to). */
function share(count: number, unit: number, index: number, parts: number): [from: number, to: number] {
  const units = Math.ceil(count / unit)
  const bound = (i: number): number => Math.min(count, Math.floor((units * i) / parts) * unit)
  return [bound(index), bound(index + 1)]
}

function total(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v, 0)
}
