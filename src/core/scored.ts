import type { RecordBatch } from './record.ts'

export type Verdict = 'normal' | 'anomaly' | 'unscored'
/** The least first. */
export const SEVERITIES = ['warning', 'minor', 'major', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]
/** How the p-value came about: conformal rank, generalised Pareto tail, or none (unscored). */
export type PMethod = 'rank' | 'tail'

/** One field's share of the blame: surprise_nats = −ln P(p(X_j | x_−j) ≤ p(x_j | x_−j)), unit-free. */
export interface FieldSurprise {
  readonly field: string
  readonly surprise_nats: number
  readonly value: string | number | boolean | null
  readonly expected: string | number | boolean | null
  /** The central 95 % range of the field given the others; null for categories. */
  readonly normal_low: number | null
  readonly normal_high: number | null
}

/** A scored record as it goes over the wire and into stores. */
export interface ScoredRecord {
  readonly id: string
  readonly pipeline: string
  readonly model_version: number
  /** ISO 8601, or null where the record has none. */
  readonly event_time: string | null
  readonly scored_at: string
  readonly entity: string | null
  /** Nats, density in the units of the raw record. */
  readonly log_prob: number | null
  /** −log10 of the p-value before its floor: continuous, ranks without ties. */
  readonly score: number | null
  readonly p_value: number | null
  readonly p_method: PMethod | null
  readonly is_anomaly: boolean
  readonly severity: Severity | null
  /** The p-value at or under which a record is flagged (the chosen rate). */
  readonly threshold: number
  readonly verdict: Verdict
  readonly reasons: readonly string[]
  readonly attribution: readonly FieldSurprise[]
  /** The rule that keeps a flagged record from raising an alert, or null. */
  readonly suppressed: string | null
  readonly source: { readonly topic?: string; readonly partition?: number; readonly offset: number }
  /** Set on re-scores, shadow scores and backtests. */
  readonly run_id?: string
}

/** Verdicts in `ScoredBatch.verdict`. */
export const NORMAL = 0
export const ANOMALY = 1
export const UNSCORED = 2
export const VERDICTS: readonly Verdict[] = ['normal', 'anomaly', 'unscored']

/** The scores of a batch, in columns; NaN where a row is unscored. */
export interface ScoredBatch {
  readonly batch: RecordBatch
  readonly pipeline: string
  readonly modelVersion: number
  /** Milliseconds since the epoch. */
  readonly scoredAt: number
  readonly threshold: number
  readonly logProb: Float64Array
  readonly score: Float64Array
  readonly pValue: Float64Array
  /** 0 rank, 1 tail. */
  readonly pMethod: Uint8Array
  /** NORMAL, ANOMALY or UNSCORED. */
  readonly verdict: Uint8Array
  /** Why a row is unscored, or what a rule said of it. */
  readonly reasons: ReadonlyMap<number, readonly string[]>
  /** Flagged rows only, the field that is most to blame first: the most surprising, ties by which is wrong. */
  readonly attributions: ReadonlyMap<number, readonly FieldSurprise[]>
  /** Flagged rows that a rule keeps from raising an alert, with its name. */
  readonly suppressed?: ReadonlyMap<number, string>
  readonly runId?: string
}

/** warning p ≤ rate, minor ≤ rate/10, major ≤ rate/100, critical ≤ rate/1000; null above the rate. */
export function severityOf(pValue: number, rate: number): Severity | null {
  if (!(pValue <= rate)) return null
  if (pValue <= rate / 1000) return 'critical'
  if (pValue <= rate / 100) return 'major'
  return pValue <= rate / 10 ? 'minor' : 'warning'
}
