import { SurprisalError } from '../core/errors.ts'
import type { FlowSpec, FlowWeights, Matrix } from '../core/flow-spec.ts'
import { requireBatch } from '../flow/batch.ts'
import { type Tensor2D, tf } from '../flow/engine.ts'
import { Flow } from '../flow/flow.ts'
import { TfjsAdam } from './tfjs-adam.ts'
import { ADAM, type AdamOptions, type FlowTrainer, type TrainerState } from './trainer.ts'

export interface TfjsTrainerOptions {
  readonly spec: FlowSpec
  readonly weights: FlowWeights
  /** The tfjs backend to run on; it must be registered (src/train/backend.ts starts them). */
  readonly engine: string
  /** What `backend` says. Default: the engine's name. */
  readonly name?: string
  readonly adam?: AdamOptions
}

const ROWS_AT_ONCE = 4096

/** Trains on any tfjs backend by automatic differentiation. Only ever reads asynchronously, as WebGPU demands. */
export class TfjsTrainer implements FlowTrainer {
  readonly backend: string
  readonly #engine: string
  readonly #spec: FlowSpec
  readonly #adam: AdamOptions
  #flow: Flow
  #optimizer: TfjsAdam
  #lossSum = 0
  #lossSteps = 0

  private constructor(options: TfjsTrainerOptions) {
    this.#engine = options.engine
    this.backend = options.name ?? options.engine
    this.#spec = options.spec
    this.#adam = options.adam ?? ADAM
    this.#flow = Flow.from(options.spec, options.weights)
    this.#optimizer = new TfjsAdam(this.#flow.variables, this.#adam)
  }

  /** Throws FLOW_SPEC_INVALID where the weights do not fit, BACKEND_UNAVAILABLE where the engine does not start. */
  static async create(options: TfjsTrainerOptions): Promise<TfjsTrainer> {
    await activate(options.engine)
    return new TfjsTrainer(options)
  }

  async initialize(sample: Matrix, context?: Matrix): Promise<void> {
    requireBatch(this.#spec, sample, context)
    if (sample.rows < 2)
      throw new SurprisalError(
        'DATA_INSUFFICIENT',
        `training starts from the moments of a sample: at least 2 rows, not ${sample.rows}`,
      )
    const bad = sample.data.subarray(0, sample.rows * sample.columns).findIndex((v) => !Number.isFinite(v))
    if (bad >= 0)
      throw new SurprisalError(
        'RECORD_INVALID',
        `row ${Math.floor(bad / sample.columns)} of the sample holds ${sample.data[bad]}: training needs finite numbers`,
      )
    await activate(this.#engine)
    tf.tidy(() => this.#flow.initialize(toTensor(sample), context && toTensor(context)))
  }

  async step(batch: Matrix, context: Matrix | undefined, learningRate: number): Promise<void> {
    requireBatch(this.#spec, batch, context)
    await activate(this.#engine)
    const loss = await this.#optimizer.step(learningRate, () => {
      const logProb = this.#flow.logProb(toTensor(batch), context && toTensor(context))
      return tf.mul(tf.sum(logProb), -1 / batch.rows) as tf.Scalar
    })
    this.#lossSum += loss
    this.#lossSteps += 1
  }

  async loss(): Promise<number> {
    const mean = this.#lossSum / this.#lossSteps
    this.#lossSum = 0
    this.#lossSteps = 0
    return mean
  }

  async logProb(x: Matrix, context?: Matrix): Promise<Float64Array> {
    requireBatch(this.#spec, x, context)
    const result = new Float64Array(x.rows)
    for (let from = 0; from < x.rows; from += ROWS_AT_ONCE) {
      const to = Math.min(x.rows, from + ROWS_AT_ONCE)
      await activate(this.#engine)
      const logProb = tf.tidy(() =>
        this.#flow.logProb(toTensor(x, from, to), context && toTensor(context, from, to)),
      )
      result.set(await logProb.data(), from)
      logProb.dispose()
    }
    return result
  }

  async state(): Promise<TrainerState> {
    const [weights, moments] = [await this.#flow.toWeights(), await this.#optimizer.moments()]
    return { weights, ...moments, step: this.#optimizer.steps }
  }

  async restore(state: TrainerState): Promise<void> {
    await activate(this.#engine)
    const flow = Flow.from(this.#spec, state.weights)
    const optimizer = new TfjsAdam(flow.variables, this.#adam, state)
    this.#dispose()
    this.#flow = flow
    this.#optimizer = optimizer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dispose()
  }

  #dispose(): void {
    this.#flow[Symbol.dispose]()
    this.#optimizer[Symbol.dispose]()
  }
}

async function activate(engine: string): Promise<void> {
  const started = tf.findBackendFactory(engine) !== null && (await tf.setBackend(engine))
  if (!started)
    throw new SurprisalError(
      'BACKEND_UNAVAILABLE',
      `the tfjs backend '${engine}' does not start; \`surprisal doctor\` shows which backends do`,
    )
}

function toTensor({ rows, columns, data }: Matrix, from = 0, to = rows): Tensor2D {
  return tf.tensor2d(data.slice(from * columns, to * columns), [to - from, columns])
}
