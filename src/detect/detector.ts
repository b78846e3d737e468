import { availableParallelism } from 'node:os'
import { Duplex } from 'node:stream'
import { SurprisalError } from '../core/errors.ts'
import type { Examiner, LookBack, RecordDensities, ScoreOptions, Scorer } from '../core/ports.ts'
import { batchOfRows, type RecordBatch } from '../core/record.ts'
import { ANOMALY, type FieldSurprise, type ScoredBatch, type ScoredRecord } from '../core/scored.ts'
import { scoredRecords } from '../core/scored-record.ts'
import { sliceBatch } from '../core/slice-batch.ts'
import { selectRows } from '../features/select-rows.ts'
import { StreamWindows } from '../features/windows/stream-windows.ts'
import { addedColumns, type WindowSpec } from '../features/windows/window-spec.ts'
import { loadKernel } from '../kernel/kernel.ts'
import type { Counterfactual } from './attribution/counterfactual.ts'
import { storedRecord } from './attribution/stored-record.ts'
import { TokenBucket } from './attribution/token-bucket.ts'
import { alertRate } from './calibration/alert-rate.ts'
import { type Model, readArtifact } from './model-file/artifact.ts'
import { verifyGolden } from './model-file/golden.ts'
import type { Manifest } from './model-file/manifest.ts'
import { isRecordBatch, type PlainRecord } from './record-batches.ts'
import type { RecordScorerOptions } from './record-scorer.ts'
import { Suppression, type SuppressionRule } from './rules/suppression.ts'
import { type ScoreStreamOptions, scoreStream } from './score-stream.ts'
import { type Executor, inPool, inThisThread } from './threads/executor.ts'
import type { ScoredColumns } from './threads/scored-columns.ts'
import { joinColumns } from './threads/scored-columns.ts'

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
  /** Marks flagged records that people know of; they raise no alert. */
  readonly suppress?: readonly SuppressionRule[]
}

/** Larger batches are shared out between threads. */
const SHARE = 16_384
const EXPLANATIONS_PER_SECOND = 200

/** One model version, loaded and ready: turns record batches into calibrated scores. Any number of calls may overlap. */
export class Detector implements Scorer, Examiner {
  readonly manifest: Manifest
  readonly modelVersion: number
  readonly rate: number
  /** The model file's bytes: write them to keep the model. */
  readonly artifact: Uint8Array
  readonly lookBack?: () => LookBack
  readonly #lookBackId: string | undefined
  readonly #model: Model
  readonly #options: DetectorOptions
  readonly #explanations: TokenBucket
  readonly #suppression: Suppression
  readonly #executor: Executor

  private constructor(artifact: Uint8Array, model: Model, options: DetectorOptions) {
    const { modelVersion = 1, rate = model.manifest.alerts.rate, redact = [] } = options
    this.manifest = model.manifest
    this.modelVersion = modelVersion
    this.rate = alertRate({ rate }, null)
    this.artifact = artifact
    this.#model = model
    this.#options = options
    this.#explanations = new TokenBucket(options.explainPerSecond ?? EXPLANATIONS_PER_SECOND)
    this.#suppression = new Suppression(options.suppress ?? [])
    const threads = options.workers ?? availableParallelism()
    if (!Number.isInteger(threads) || threads < 0) {
      throw new SurprisalError('USAGE', `workers is ${threads}; it is a number of threads, 0 or more`)
    }
    const { windows } = model.manifest
    if (windows !== undefined) {
      this.lookBack = () => new StreamWindows(windows)
      this.#lookBackId = this.lookBack().id
    }
    const scoring: RecordScorerOptions = { rate: this.rate, redact: masked(redact, windows) }
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
    return new Detector(this.artifact, this.#model, { ...this.#options, rate })
  }

  /**
   * Scores every row of a batch, which is left as it is, or every record of a list. A row that cannot be encoded comes
   * out unscored with its reason. A model that looks back sees the past in the batch alone, or what `lookBack` appended;
   * scoreStream, scoreBatches and transform look back along their stream. SCHEMA_MISMATCH where a learned column is
   * missing.
   */
  score(batch: RecordBatch, options?: Partial<ScoreOptions>): Promise<ScoredBatch>
  score(records: readonly PlainRecord[], options?: Partial<ScoreOptions>): Promise<ScoredRecord[]>
  async score(
    input: RecordBatch | readonly PlainRecord[],
    options: Partial<ScoreOptions> = {},
  ): Promise<ScoredBatch | ScoredRecord[]> {
    if (isRecordBatch(input)) return this.#scoreBatch(input, options)
    return [...scoredRecords(await this.#scoreBatch(batchOfRows(input), options))]
  }

  /** A duplex stream in object mode: records or batches in, scored records out, in order and with back pressure. */
  transform(options: ScoreStreamOptions = {}): Duplex {
    return Duplex.from((records: AsyncIterable<PlainRecord | RecordBatch>) =>
      scoreStream(this, records, options),
    )
  }

  /**
   * The changes of one field each that would make a record normal at the rate, the field most to blame first: "normal
   * if distance were 594". Of a batch, those of each row. Redacted fields are left out.
   */
  nearestNormal(record: PlainRecord): Promise<readonly Counterfactual[]>
  nearestNormal(batch: RecordBatch): Promise<readonly (readonly Counterfactual[])[]>
  async nearestNormal(
    input: PlainRecord | RecordBatch,
  ): Promise<readonly Counterfactual[] | readonly (readonly Counterfactual[])[]> {
    if (isRecordBatch(input)) return this.#executor.nearestNormal(input)
    const [found] = await this.#executor.nearestNormal(this.#looked(batchOfRows([input])))
    return found
  }

  /**
   * What this version expects of each field of a record that it has scored and explained, the others being what they
   * are. DATA_INSUFFICIENT where the record was not explained: a stored score holds no other values.
   */
  async densities(record: ScoredRecord): Promise<RecordDensities> {
    if (record.attribution.length === 0)
      throw new SurprisalError(
        'DATA_INSUFFICIENT',
        `record "${record.id}" was stored without its fields: only flagged records that were explained can be drawn`,
      )
    const { batch, assumed } = storedRecord(record, this.manifest.encoder, this.#options.redact ?? [])
    const { logProb, reasons } = await this.#executor.score(batch)
    if (Number.isNaN(logProb[0]))
      throw new SurprisalError(
        'DATA_INSUFFICIENT',
        `record "${record.id}" cannot be put together from its stored score: ${reasons.get(0)?.join('; ')}`,
      )
    return {
      model_version: this.modelVersion,
      log_prob: logProb[0],
      assumed,
      fields: await this.#executor.densities(batch),
    }
  }

  async #scoreBatch(
    batch: RecordBatch,
    { pipeline = 'default', explain = true, runId }: Partial<ScoreOptions>,
  ): Promise<ScoredBatch> {
    const scoredAt = Date.now()
    const looked = this.#looked(batch)
    const scored = await this.#scoreShares(looked)
    const attributions = explain ? await this.#explain(looked, scored) : new Map<number, FieldSurprise[]>()
    const explained: ScoredBatch = {
      batch,
      pipeline,
      modelVersion: this.modelVersion,
      scoredAt,
      threshold: this.rate,
      ...scored,
      attributions,
      ...(runId !== undefined && { runId }),
    }
    const suppressed = this.#suppression.of(explained)
    return suppressed.size === 0 ? explained : { ...explained, suppressed }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#executor.dispose()
  }

  /** The batch with its look-back: as a stream of its own where it was not appended to one. */
  #looked(batch: RecordBatch): RecordBatch {
    return batch.windows?.id === this.#lookBackId ? batch : (this.lookBack?.().append(batch) ?? batch)
  }

  async #scoreShares(batch: RecordBatch): Promise<ScoredColumns> {
    if (batch.rows <= SHARE) return this.#executor.score(batch)
    const starts = Array.from({ length: Math.ceil(batch.rows / SHARE) }, (_, i) => i * SHARE)
    const shares = starts.map((from) => sliceBatch(batch, from, from + SHARE))
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

/** What is derived from a masked field says what it was. */
function masked(redact: readonly string[], windows: WindowSpec | undefined): readonly string[] {
  if (windows === undefined || redact.length === 0) return redact
  const derived = addedColumns(windows).filter(({ source }) => source !== null && redact.includes(source))
  return [...redact, ...derived.map(({ name }) => name)]
}
