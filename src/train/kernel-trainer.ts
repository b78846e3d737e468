import { SurprisalError } from '../core/errors.ts'
import type { FlowSpec, FlowWeights, Matrix } from '../core/flow-spec.ts'
import { type Kernel, loadKernel } from '../kernel/kernel.ts'
import { TrainingFlow } from '../kernel/training-flow.ts'
import type { Rows } from '../kernel/training-share.ts'
import { inlineTeam, type KernelTeam, ThreadTeam } from './kernel-team.ts'
import { ADAM, type AdamOptions, type FlowTrainer, type TrainerState } from './trainer.ts'

export interface KernelTrainerOptions {
  readonly adam?: AdamOptions
  /** 0: in the calling thread. n ≥ 1: every step dealt over n worker threads; the result depends on n alone. */
  readonly threads?: number
}

/** Floats of x, context and results that kernel memory holds at a time outside of steps. */
const CHUNK_FLOATS = 262_144
const SMALLEST_DEVIATION = 1e-6
const MAX_THREADS = 64

/** Trains a flow with the fused WebAssembly kernel: forward, backward and Adam on the processor, in float32. */
export class KernelTrainer implements FlowTrainer {
  readonly backend = 'kernel'
  private readonly kernel: Kernel
  private readonly spec: FlowSpec
  private readonly adam: AdamOptions
  private readonly flow: TrainingFlow
  private readonly team: KernelTeam
  /** Room for `capacity` rows of x, context and results. */
  private buffer = 0
  private capacity = 0
  private steps = 0
  private lossSum = 0
  private lossSteps = 0
  private last: Promise<unknown>
  private disposed = false

  /**
   * @throws SurprisalError FLOW_SPEC_INVALID where the weights do not fit the spec, BACKEND_UNAVAILABLE without
   *   WebAssembly SIMD, USAGE for a bad thread count
   */
  static create(spec: FlowSpec, weights: FlowWeights, options: KernelTrainerOptions = {}): KernelTrainer {
    return new KernelTrainer(spec, weights, options)
  }

  private constructor(
    spec: FlowSpec,
    weights: FlowWeights,
    { adam = ADAM, threads = 0 }: KernelTrainerOptions,
  ) {
    if (!(Number.isInteger(threads) && threads >= 0 && threads <= MAX_THREADS))
      throw new SurprisalError(
        'USAGE',
        `threads is ${threads}: it must be a whole number in [0, ${MAX_THREADS}]`,
      )
    this.kernel = loadKernel()
    this.spec = spec
    this.adam = adam
    this.flow = new TrainingFlow(this.kernel, spec, weights, Math.max(1, threads))
    const { layout } = this.flow
    this.team = threads === 0 ? inlineTeam(this.kernel, layout) : new ThreadTeam(this.kernel, layout)
    this.last = this.team.run({ kind: 'refresh' })
  }

  initialize(sample: Matrix, context?: Matrix): Promise<void> {
    return this.inTurn(async () => {
      this.check(sample, context)
      if (sample.rows < 2)
        throw new SurprisalError(
          'DATA_INSUFFICIENT',
          `${sample.rows} rows have no variance: initialize needs 2`,
        )
      const states = sample.data.slice(0, sample.rows * this.spec.dim)
      let done = 0
      for (const { bijector, operation } of this.flow.actnorms) {
        await this.advance(states, context, sample.rows, done, operation)
        this.normalize(`${bijector}`, states, sample.rows)
        await this.team.run({ kind: 'refresh' })
        done = operation
      }
    })
  }

  step(batch: Matrix, context: Matrix | undefined, learningRate: number): Promise<void> {
    return this.inTurn(async () => {
      this.check(batch, context)
      if (batch.rows === 0) throw new SurprisalError('USAGE', 'a training step needs at least one row')
      const data = this.place(batch.data, context?.data, 0, batch.rows)
      const { beta1, beta2, epsilon, clipNorm } = this.adam
      const constant = this.constant()
      const step = this.steps + 1
      const rate = learningRate / (1 - beta1 ** step)
      const correction = 1 / (1 - beta2 ** step)
      const adam = { rate, correction, beta1, beta2, epsilon, clipNorm }
      await this.team.run({ kind: 'step', data, adam })
      const loss = this.flow.total('losses') / batch.rows - constant
      const usable = Number.isFinite(loss + this.flow.total('norms'))
      if (usable) this.steps = step
      this.lossSum += usable ? loss : Number.NaN
      this.lossSteps += 1
    })
  }

  loss(): Promise<number> {
    return this.inTurn(async () => {
      const mean = this.lossSum / this.lossSteps
      this.lossSum = 0
      this.lossSteps = 0
      return mean
    })
  }

  logProb(x: Matrix, context?: Matrix): Promise<Float64Array> {
    return this.inTurn(async () => {
      this.check(x, context)
      const result = new Float64Array(x.rows)
      await this.inChunks(x.data, context, x.rows, async (data, out, start) => {
        await this.team.run({ kind: 'evaluate', data, constant: this.constant(), out })
        result.set(this.kernel.doubles(out, data.rows), start)
      })
      return result
    })
  }

  state(): Promise<TrainerState> {
    return this.inTurn(async () => ({
      weights: this.flow.read('parameters'),
      moment1: this.flow.read('moment1'),
      moment2: this.flow.read('moment2'),
      step: this.steps,
    }))
  }

  restore(state: TrainerState): Promise<void> {
    return this.inTurn(async () => {
      this.flow.replace(state.weights)
      this.flow.write('moment1', state.moment1)
      this.flow.write('moment2', state.moment2)
      this.steps = state.step
      this.lossSum = 0
      this.lossSteps = 0
      await this.team.run({ kind: 'refresh' })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.disposed) return
    await this.last.catch(() => {})
    this.disposed = true
    await this.team.dispose()
    if (this.buffer) this.kernel.arena.free(this.buffer)
    this.flow.dispose()
  }

  /** One piece of work after another, whether or not the caller waits; a failed one does not stop the next. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.disposed)
      return Promise.reject(new SurprisalError('INTERNAL', 'this trainer has been disposed of'))
    const result = this.last.then(work, work)
    this.last = result
    return result
  }

  /** The base's constant and the log-dets that depend on no record, nats. */
  private constant(): number {
    return this.flow.total('logDets') - 0.5 * this.spec.dim * Math.log(2 * Math.PI)
  }

  /** Carries states [rows, dim] over the operations first … last − 1, in place. */
  private async advance(
    states: Float32Array,
    context: Matrix | undefined,
    rows: number,
    first: number,
    last: number,
  ): Promise<void> {
    const { dim } = this.spec
    await this.inChunks(states, context, rows, async (data, out, start) => {
      await this.team.run({ kind: 'transform', data, first, last, out })
      states.set(this.kernel.floats(out, data.rows * dim), start * dim)
    })
  }

  /** Sets an actnorm so that these states come out with zero mean and unit (population) variance. */
  private normalize(name: string, states: Float32Array, rows: number): void {
    const { dim } = this.spec
    const logScale = new Float64Array(dim)
    const bias = new Float64Array(dim)
    for (let d = 0; d < dim; d++) {
      let mean = 0
      for (let i = d; i < states.length; i += dim) mean += states[i] / rows
      let variance = 0
      for (let i = d; i < states.length; i += dim) variance += (states[i] - mean) ** 2 / rows
      const deviation = Math.max(SMALLEST_DEVIATION, Math.sqrt(variance))
      logScale[d] = -Math.log(deviation)
      bias[d] = -mean / deviation
    }
    this.flow.set(`${name}.log_scale`, logScale)
    this.flow.set(`${name}.bias`, bias)
  }

  private async inChunks(
    x: Float32Array,
    context: Matrix | undefined,
    rows: number,
    use: (data: Rows, out: number, start: number) => Promise<void>,
  ): Promise<void> {
    const { columns, dim } = this.flow.layout
    const chunk = Math.max(64, Math.floor(CHUNK_FLOATS / (dim + columns)))
    for (let start = 0; start < rows; start += chunk) {
      const data = this.place(x, context?.data, start, Math.min(chunk, rows - start))
      await use(data, data.context + this.capacity * columns * 4, start)
    }
  }

  /** Copies rows into kernel memory, which grows to hold them. */
  private place(x: Float32Array, context: Float32Array | undefined, start: number, rows: number): Rows {
    const { kernel } = this
    const { columns, dim } = this.flow.layout
    if (rows > this.capacity) {
      if (this.buffer) kernel.arena.free(this.buffer)
      this.capacity = Math.ceil(rows / 64) * 64
      this.buffer = kernel.arena.allocate(this.capacity * (4 * (dim + columns) + 8 + 4 * dim))
    }
    const at = { x: this.buffer, context: this.buffer + this.capacity * dim * 4, rows }
    kernel.floats(at.x, rows * dim).set(x.subarray(start * dim, (start + rows) * dim))
    if (context && columns > 0)
      kernel
        .floats(at.context, rows * columns)
        .set(context.subarray(start * columns, (start + rows) * columns))
    return at
  }

  private check(x: Matrix, context: Matrix | undefined): void {
    const { columns, dim } = this.flow.layout
    const contextRows = columns === 0 || (context?.columns === columns && context.rows === x.rows)
    if (x.columns !== dim || x.data.length < x.rows * dim || !contextRows)
      throw new SurprisalError(
        'SCHEMA_MISMATCH',
        `the flow takes [rows, ${dim}] values and [rows, ${columns}] of context; got ` +
          `[${x.rows}, ${x.columns}] and ${context ? `[${context.rows}, ${context.columns}]` : 'none'}`,
      )
  }
}
