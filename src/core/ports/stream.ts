import type { RecordBatch } from '../record.ts'
import type { ScoredBatch } from '../scored.ts'

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
  /**
   * Where the source can commit its position and what is written in one transaction: runs `write` inside, commits
   * and settles the delivery; when anything fails, nothing has happened, and it may be called again.
   */
  readonly atomically?: (write: () => Promise<void>) => Promise<void>
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
  /** What it waits for, or null once records can flow. A source without it is ready once open. */
  unready?(): string | null
  /**
   * The last `records` records of a partition before an offset, oldest first, where the origin can be read again.
   * What is there already comes; a partition that holds fewer gives fewer.
   */
  before?(
    place: { readonly topic: string; readonly partition: number; readonly offset: number },
    records: number,
    signal: AbortSignal,
  ): AsyncIterable<RecordBatch>
  /** Records behind the end, where the origin has one. */
  lags?(): readonly { readonly topic: string; readonly partition: number; readonly lag: number }[]
}

/** Takes the untouched originals of records that could not be decoded; resolves once they are durable. */
export interface DeadLetters extends AsyncDisposable {
  readonly name: string
  open(signal: AbortSignal): Promise<void>
  write(rejected: readonly RejectedRecord[], delivery: Delivery): Promise<void>
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

export interface ScoreOptions {
  readonly pipeline: string
  /** Attribute flagged records to their fields. */
  readonly explain: boolean
  readonly runId?: string
}
/** The past of a stream, as far as a model looks back on it. */
export interface LookBack {
  /** Equal for models whose look-backs compute the same columns. */
  readonly id: string
  /** The batch with the columns that the model scores by; its records enter the past. Batches come in order. */
  append(batch: RecordBatch): RecordBatch
  /** An appended batch whose own columns were changed: what depends on them alone follows; nothing enters the past. */
  vary(appended: RecordBatch, changed: RecordBatch): RecordBatch
  /** Records of its stream before a batch that can show in its columns; Infinity where their number has no bound. */
  reach(batch: RecordBatch): number
  /** Drops the past of one origin (its prefix): what comes next does not follow what came before. */
  forget(origin: string): void
}

/** One model version, ready to score; every row of a batch is scored by the same version. */
export interface Scorer extends AsyncDisposable {
  /** A fresh past, for a model that looks back. A batch that was not appended to one is scored as a stream of its own. */
  readonly lookBack?: () => LookBack
  readonly modelVersion: number
  /** Nominal false alarms per normal record. */
  readonly rate: number
  score(batch: RecordBatch, options: ScoreOptions): Promise<ScoredBatch>
}
