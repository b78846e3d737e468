import type { ScoredRecord, Severity } from '../scored.ts'
import type { Precision } from './label-store.ts'
import type { RetrainJob } from './retrain-queue.ts'

/** `unknown`: nobody who watches the pipeline has been heard of; what is told comes from its stored scores. */
export type PipelineState = 'starting' | 'waiting' | 'running' | 'degraded' | 'stopped' | 'failed' | 'unknown'

export interface PipelineStatus {
  readonly name: string
  readonly state: PipelineState
  /** Why it is in a state other than running, most important first. */
  readonly reasons: readonly string[]
  /** Over the last minute or so. */
  readonly records_per_second: number
  /** Since `since`. */
  readonly records: number
  readonly anomalies: number
  readonly unscored: number
  readonly since: string
  /** Records that wait in the source; null where it cannot tell. */
  readonly lag: number | null
  /** Nominal false alarms per normal record, and the share flagged since `since`. */
  readonly nominal_rate: number | null
  readonly realised_rate: number | null
  readonly model_version: number | null
  readonly model_created_at: string | null
  /** Where labels are kept. */
  readonly feedback?: Precision
  /** While a challenger waits for approval. */
  readonly shadow?: ShadowReport
}

/** What a challenger that waits for approval says of the records that the champion scores. */
export interface ShadowReport {
  readonly version: number
  readonly since: string
  /** Records that it scored beside the champion, and those passed by while it was busy. */
  readonly records: number
  readonly skipped: number
  /** Of `records`: flagged by both, by none, by one alone; `unscored` by either. */
  readonly both: number
  readonly neither: number
  readonly only_champion: number
  readonly only_challenger: number
  readonly unscored: number
}

/**
 * What no single record shows: an entity that stopped, repeats a value, or is improbably typical.
 */
export type EpisodeKind = 'silent' | 'stuck' | 'regular'

/** Flagged records that belong together, or a `kind` of strangeness of one entity. */
export interface Episode {
  readonly kind?: EpisodeKind
  readonly id: string
  readonly pipeline: string
  readonly entity: string | null
  readonly started_at: string
  /** null while it goes on. */
  readonly ended_at: string | null
  readonly anomalies: number
  readonly max_score: number
  readonly severity: Severity
  /** The fields most often to blame, most often first. */
  readonly fields: readonly string[]
}

export interface DriftField {
  readonly field: string
  /** Population stability index: 0.1 moderate, 0.25 large. */
  readonly effect: number
  readonly p: number
  readonly drifted: boolean
}
/** One look at whether records still look like those learned from. */
export interface DriftReport {
  readonly from: string
  readonly to: string
  readonly records: number
  readonly fields: readonly DriftField[]
  /** Fields that drifted in enough looks in a row to act. */
  readonly triggered: readonly string[]
}

/** What a process knows of the pipelines it runs. */
export interface PipelineMonitor {
  pipelines(): Promise<readonly PipelineStatus[]>
  /** Newest first. */
  episodes(pipeline: string, limit: number): Promise<readonly Episode[]>
  /** Looks, newest first. */
  drift(pipeline: string, limit: number): Promise<readonly DriftReport[]>
}

/** Something that has just happened, for those who look on. */
export type LiveEvent =
  | {
      readonly kind: 'scores'
      readonly pipeline: string
      readonly at: string
      readonly records: number
      readonly anomalies: number
      readonly unscored: number
      readonly score_max: number | null
    }
  | { readonly kind: 'anomaly'; readonly pipeline: string; readonly record: ScoredRecord }
  | { readonly kind: 'status'; readonly pipeline: string; readonly status: PipelineStatus }
  | { readonly kind: 'episode'; readonly pipeline: string; readonly episode: Episode }
  | { readonly kind: 'job'; readonly pipeline: string; readonly job: RetrainJob }
  /** `model`: another version is champion or challenger, or there is a new one. `drift`: a look was taken. */
  | {
      readonly kind: 'model' | 'drift'
      readonly pipeline: string
      readonly at: string
      readonly text: string
    }

/** Listeners are called at once and must not wait. */
export interface LiveFeed {
  subscribe(listener: (event: LiveEvent) => void): () => void
}
