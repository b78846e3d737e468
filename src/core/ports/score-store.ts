import type { ScoredBatch, ScoredRecord, Severity, Verdict } from '../scored.ts'

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
  /** Flagged records that a rule suppresses alone, or none of them. */
  readonly suppressed?: boolean
  readonly id?: string
  /** null: live scores only (the default). */
  readonly runId?: string | null
  /** `time` (the default): newest first. `score`: most surprising first, unscored records last. */
  readonly order?: 'time' | 'score'
  readonly limit: number
  readonly cursor?: string
}
/** Live scores in whole buckets: `from` is rounded down and `to` up to a multiple of `step`. Empty buckets are there. */
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
/** Live scores of whole minutes (whole hours over more than six days), both ends rounded outwards. */
export interface DistributionQuery {
  readonly pipeline: string
  readonly from: number
  readonly to: number
}
/** Scored records whose score is at most `up_to` and above the bin before. */
export interface ScoreBin {
  readonly up_to: number
  readonly count: number
}
/**
 * Live rows have the key (pipeline, id): the first write wins. Rows of a run have (pipeline, run_id, id). A batch
 * stands for every record of its origin between its first and last offset. A resolved append is durable.
 */
export interface ScoreStore extends AsyncDisposable {
  readonly name: string
  open(): Promise<void>
  /** Where this process serves the scores: told to processes that find the store locked by this one. */
  announce?(url: string): Promise<void>
  append(scored: ScoredBatch): Promise<void>
  query(query: ScoreQuery): Promise<Page<ScoredRecord>>
  series(query: SeriesQuery): Promise<readonly SeriesPoint[]>
  /** How the scores spread, ascending; since score = −log10 p, it also says how often p fell under any rate. */
  distribution(query: DistributionQuery): Promise<readonly ScoreBin[]>
  pipelines(): Promise<readonly string[]>
  /** Drops rows older than `before` (epoch milliseconds); roll-ups stay. */
  retain(pipeline: string, before: number): Promise<number>
}
