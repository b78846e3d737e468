import { availableParallelism } from 'node:os'
import { SurprisalError } from '../core/errors.ts'
import type { ScoreOptions, Scorer } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import type { ScoredBatch } from '../core/scored.ts'
import type { ColumnState } from '../features/encoder-state.ts'
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

type Score = (batch: RecordBatch, explain: number) => Promise<ScoredColumns>

/** One model version, loaded and ready: turns record batches into calibrated scores. Any number of calls may overlap. */
export class Detector implements Scorer {
  readonly manifest: Manifest
  readonly modelVersion: number
  readonly rate: number
  readonly #artifact: Uint8Array
  readonly #model: Model
  readonly #options: DetectorOptions
  readonly #explanations: TokenBucket
  readonly #score: Score
  readonly #dispose: () => Promise<void>

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
    if (threads === 0) {
      const scorer = new RecordScorer(model, loadKernel(), scoring)
      this.#score = async (batch, explain) => scorer.score(batch, explain)
      this.#dispose = async () => scorer[Symbol.dispose]()
    } else {
      const pool = new ScorePool(artifact, scoring, threads)
      const fields = new Set(model.manifest.encoder.columns.flatMap(fieldsOf))
      this.#score = (batch, explain) => pool.score({ batch: wireBatch(batch, fields), explain })
      this.#dispose = () => pool[Symbol.asyncDispose]()
    }
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
    const granted = explain ? this.#explanations.take(batch.rows) : 0
    const scored = await this.#scoreShares(batch, granted)
    this.#explanations.giveBack(granted - scored.attributions.size)
    return {
      batch,
      pipeline,
      modelVersion: this.modelVersion,
      scoredAt,
      threshold: this.rate,
      ...scored,
      ...(runId !== undefined && { runId }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose()
  }

  async #scoreShares(batch: RecordBatch, explain: number): Promise<ScoredColumns> {
    if (batch.rows <= SHARE) return this.#score(batch, explain)
    const starts = Array.from({ length: Math.ceil(batch.rows / SHARE) }, (_, i) => i * SHARE)
    const shares = starts.map((from) => sliceBatch(batch, from, Math.min(batch.rows, from + SHARE)))
    const each = Math.ceil(explain / shares.length)
    return joinColumns(await Promise.all(shares.map((share) => this.#score(share, each))), starts, batch.rows)
  }
}

/** The columns of a batch that a learned column reads. */
function fieldsOf(column: ColumnState): string[] {
  const number = column.kind === 'context-number' ? column.number : column
  const since = number.kind === 'numeric' ? number.since : null
  return [column.field, since].filter((field) => field !== null)
}
