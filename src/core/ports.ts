import type { RecordBatch } from './record.ts'
import type { ScoredBatch, ScoredRecord, Severity, Verdict } from './scored.ts'

export type * from './retraining.ts'

/** A record that could not even be decoded: its untouched original goes to the dead-letter topic. */
export interface RejectedRecord {
  readonly id: string
  readonly reason: string
  readonly cause: unknown
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>
}

/** A batch in flight. Exactly one of ack and nack settles it; a second settle does nothing. */
export interface Delivery {
  readonly batch: RecordBatch
  readonly rejected: readonly RejectedRecord[]
  /** Row → what outputs carry on: key, headers and original bytes (Kafka); absent for files. */
  readonly envelope?: (row: number) => RecordEnvelope
  /** Fires when the partition was taken away: no side effect may follow. */
  readonly revoked: AbortSignal
  ack(): Promise<void>
  nack(cause: unknown): Promise<void>
}
export interface RecordEnvelope {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: RejectedRecord['headers']
}

/**
 * Yields deliveries in order per origin. Unacked deliveries come again after a restart; an ack never commits past
 * an unacked earlier one of its origin; abort ends the iteration quietly.
 */
export interface Source extends AsyncDisposable {
  readonly name: string
  open(signal: AbortSignal): Promise<void>
  deliveries(signal: AbortSignal): AsyncIterable<Delivery>
}

export interface Sink extends AsyncDisposable {
  readonly name: string
  /** The same record twice shows once. */
  readonly idempotent: boolean
  /** `write`: a resolved write is durable and readable. `roll`: only what was rolled is; flush() rolls. */
  readonly durableAt: 'write' | 'roll'
  open(signal: AbortSignal): Promise<void>
  write(scored: ScoredBatch, delivery?: Delivery): Promise<void>
  flush?(): Promise<void>
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Pass it back for the next page; null at the end. */
  readonly cursor: string | null
}
/** Half-open time range [from, to) in epoch milliseconds, by event time (scored_at where a record has none). */
export interface ScoreQuery {
  readonly pipeline: string
  readonly from?: number
  readonly to?: number
  readonly entity?: string
  readonly verdicts?: readonly Verdict[]
  readonly severities?: readonly Severity[]
  readonly id?: string
  /** null: live scores only (the default). */
  readonly runId?: string | null
  readonly order?: 'time' | 'score'
  readonly limit: number
  readonly cursor?: string
}
export interface SeriesQuery {
  readonly pipeline: string
  readonly from: number
  readonly to: number
  /** Bucket width, milliseconds. */
  readonly step: number
  readonly entity?: string
}
export interface SeriesPoint {
  /** Start of the bucket, epoch milliseconds. */
  readonly time: number
  readonly records: number
  readonly anomalies: number
  readonly unscored: number
  /** Quantiles of `score`; null in an empty bucket. */
  readonly score_p50: number | null
  readonly score_p99: number | null
  readonly score_max: number | null
}
/** Live rows have the key (pipeline, id): the first write wins. Rows of a run have (pipeline, run_id, id). */
export interface ScoreStore extends AsyncDisposable {
  readonly name: string
  open(): Promise<void>
  append(scored: ScoredBatch): Promise<void>
  query(query: ScoreQuery): Promise<Page<ScoredRecord>>
  series(query: SeriesQuery): Promise<readonly SeriesPoint[]>
  pipelines(): Promise<readonly string[]>
  /** Drops rows older than `before` (epoch milliseconds); roll-ups stay. */
  retain(pipeline: string, before: number): Promise<number>
}

export interface ModelVersion {
  readonly name: string
  readonly version: number
  readonly created_at: string
  /** SHA-256 of the artifact's bytes, hex. */
  readonly sha256: string
  readonly bytes: number
  readonly aliases: readonly ModelAlias[]
  /** What the model list shows without opening the artifact. */
  readonly summary: Readonly<Record<string, unknown>>
}
export type ModelAlias = 'champion' | 'challenger'
export interface AliasChange {
  readonly at: string
  readonly alias: ModelAlias
  readonly version: number | null
  readonly previous: number | null
  readonly who: string
  readonly why: string
}
/** Integer versions per model name, from 1, never reused. A pipeline's model is named after it. */
export interface ModelRegistry extends AsyncDisposable {
  readonly name: string
  /** Takes the next fencing token of a model: any put with an older one is refused from now on. */
  fence(model: string): Promise<number>
  /** Stores an artifact as the next version; FENCE_STALE where a newer token was taken. */
  put(
    model: string,
    artifact: Uint8Array,
    summary: Readonly<Record<string, unknown>>,
    fence: number,
  ): Promise<ModelVersion>
  get(model: string, version: number): Promise<Uint8Array>
  list(model: string): Promise<readonly ModelVersion[]>
  models(): Promise<readonly string[]>
  setAlias(model: string, alias: ModelAlias, version: number | null, who: string, why: string): Promise<void>
  alias(model: string, alias: ModelAlias): Promise<ModelVersion | undefined>
  history(model: string): Promise<readonly AliasChange[]>
  /** Removes a version's bytes; refused for one that has an alias. */
  remove(model: string, version: number): Promise<void>
  /** The champion now (when there is one) and at every change. */
  watch(model: string, signal: AbortSignal): AsyncIterable<ModelVersion>
}

/** Where training progress survives the process: one slot per job. */
export interface CheckpointStore {
  save(job: string, bytes: Uint8Array): Promise<void>
  load(job: string): Promise<Uint8Array | undefined>
  remove(job: string): Promise<void>
}

export type Label = 'anomaly' | 'false_alarm'
export interface LabelledRecord {
  readonly pipeline: string
  readonly id: string
  readonly label: Label
  readonly who: string
  readonly at: string
  readonly note?: string
}
export interface LabelStore {
  put(label: LabelledRecord): Promise<void>
  labels(pipeline: string): Promise<readonly LabelledRecord[]>
}

export interface ScoreOptions {
  readonly pipeline: string
  /** Attribute flagged records to their fields. */
  readonly explain: boolean
  readonly runId?: string
}
/** One model version, ready to score; every row of a batch is scored by the same version. */
export interface Scorer extends AsyncDisposable {
  readonly modelVersion: number
  /** Nominal false alarms per normal record. */
  readonly rate: number
  score(batch: RecordBatch, options: ScoreOptions): Promise<ScoredBatch>
}
