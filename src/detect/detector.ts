import { availableParallelism } from 'node:os'
import { SurprisalError } from '../core/errors.ts'
import type { ScoreOptions, Scorer } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import { ANOMALY, type FieldSurprise, type ScoredBatch } from '../core/scored.ts'
import type { ColumnState } from '../features/encoder-state.ts'
import { selectRows } from '../features/select-rows.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { alertRate } from './alert-rate.ts'
import { type Model, readArtifact } from './artifact.ts'
import { verifyGolden } from './golden.ts'
import type { Manifest } from './manifest.ts'
import { ScorePool } from './pool.ts'
import { RecordScorer, type RecordScorerOptions, type ScoredColumns } from './record-scorer.ts'
import { sliceBatch } from './rows.ts'
import { joinColumns } from './scored-columns.ts'
import { TokenBucket } from './token-bucket.ts'
import { wireBatch } from './wire.ts'

export interface DetectorOptions {
  /** Scoring threads; 0 scores in the calling thread. Default: one a core. Results do not depend on it. */
  readonly workers?: number
  /** The number that scores carry. Default 1. */
  readonly modelVersion?: number
  /** Nominal false alarms per normal record. Default: the model's. */
  readonly rate?: number
  /** Fields whose values are masked in every output. */
  readonly redact?: readonly string[]
  /** Attributions a second in an alarm storm. Default 200; Infinity explains every flagged record. */
  readonly explainPerSecond?: number
}

/** Larger batches are shared out between threads. */
const SHARE = 16_384
const EXPLANATIONS_PER_SECOND = 200

/** Where the work is done: in this thread or in a pool. */
interface Executor {
  score(batch: RecordBatch): Promise<ScoredColumns>
  explain(batch: RecordBatch): Promise<FieldSurprise[][]>
  dispose(): Promise<void>
}

/** One model version, loaded and ready: turns record batches into calibrated scores. Any number of calls may overlap. */
export class Detector implements Scorer {
  readonly manifest: Manifest
  readonly modelVersion: number
  readonly rate: number
  readonly #artifact: Uint8Array
  readonly #model: Model
  readonly #options: DetectorOptions
  readonly #explanations: TokenBucket
  readonly #executor: Executor

  private constructor(artifact: Uint8Array, model: Model, options: DetectorOptions) {
    const { modelVersion = 1, rate = model.manifest.alerts.rate, redact = [] } = options
    this.manifest = model.manifest
    this.modelVersion = modelVersion
    this.rate = alertRate({ rate }, null)
    this.#artifact = artifact
    this.#model = model
    this.#options = options
    this.#explanations = new TokenBucket(options.explainPerSecond ?? EXPLANATIONS_PER_SECOND)
    const threads = options.workers ?? availableParallelism()
    if (!Number.isInteger(threads) || threads < 0) {
      throw new SurprisalError('USAGE', `workers is ${threads}; it is a number of threads, 0 or more`)
    }
    const scoring: RecordScorerOptions = { rate: this.rate, redact }
    this.#executor = threads === 0 ? inThisThread(model, scoring) : inPool(artifact, model, scoring, threads)
  }

  /**
   * Reads a model file and checks it: MODEL_INVALID where it is corrupt, foreign or fails its golden vectors,
   * MODEL_VERSION_UNSUPPORTED where a newer program wrote it.
   */
  static async load(artifact: Uint8Array, options: DetectorOptions = {}): Promise<Detector> {
    const model = readArtifact(artifact)
    verifyGolden(model, loadKernel())
    return new Detector(artifact, model, options)
  }

  /** The same model at another rate, with threads of its own; nothing is fitted again. */
  withRate(rate: number): Detector {
    return new Detector(this.#artifact, this.#model, { ...this.#options, rate })
  }

  /**
   * Scores every row of a batch; the batch itself is left as it is. A row that cannot be encoded comes out unscored
   * with its reason. SCHEMA_MISMATCH where a learned column is missing.
   */
  async score(batch: RecordBatch, { pipeline, explain, runId }: ScoreOptions): Promise<ScoredBatch> {
    const scoredAt = Date.now()
    const scored = await this.#scoreShares(batch)
    const attributions = explain ? await this.#explain(batch, scored) : new Map<number, FieldSurprise[]>()
    return {
      batch,
      pipeline,
      modelVersion: this.modelVersion,
      scoredAt,
      threshold: this.rate,
      ...scored,
      attributions,
      ...(runId !== undefined && { runId }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#executor.dispose()
  }

  async #scoreShares(batch: RecordBatch): Promise<ScoredColumns> {
    if (batch.rows <= SHARE) return this.#executor.score(batch)
    const starts = Array.from({ length: Math.ceil(batch.rows / SHARE) }, (_, i) => i * SHARE)
    const shares = starts.map((from) => sliceBatch(batch, from, Math.min(batch.rows, from + SHARE)))
    const scored = await Promise.all(shares.map((share) => this.#executor.score(share)))
    return joinColumns(scored, starts, batch.rows)
  }

  /** Of more flagged rows than may be explained now, the most surprising ones. */
  async #explain(
    batch: RecordBatch,
    { verdict, score }: ScoredColumns,
  ): Promise<Map<number, readonly FieldSurprise[]>> {
    const flagged: number[] = []
    for (let row = 0; row < batch.rows; row++) if (verdict[row] === ANOMALY) flagged.push(row)
    const granted = this.#explanations.take(flagged.length)
    if (granted < flagged.length) flagged.sort((a, b) => score[b] - score[a]).length = granted
    if (flagged.length === 0) return new Map()
    const attributions = await this.#executor.explain(selectRows(batch, flagged))
    return new Map(attributions.map((attribution, i) => [flagged[i], attribution]))
  }
}

function inThisThread(model: Model, options: RecordScorerOptions): Executor {
  const scorer = new RecordScorer(model, loadKernel(), options)
  return {
    score: async (batch) => scorer.score(batch),
    explain: async (batch) => scorer.explain(batch),
    dispose: async () => scorer[Symbol.dispose](),
  }
}

function inPool(artifact: Uint8Array, model: Model, options: RecordScorerOptions, threads: number): Executor {
  const pool = new ScorePool(artifact, options, threads)
  const fields = new Set(model.manifest.encoder.columns.flatMap(fieldsOf))
  return {
    score: (batch) => pool.score(wireBatch(batch, fields)),
    explain: (batch) => pool.explain(wireBatch(batch, fields)),
    dispose: () => pool[Symbol.asyncDispose](),
  }
}

/** The columns of a batch that a learned column reads. */
function fieldsOf(column: ColumnState): string[] {
  const number = column.kind === 'context-number' ? column.number : column
  const since = number.kind === 'numeric' ? number.since : null
  return [column.field, since].filter((field) => field !== null)
}
