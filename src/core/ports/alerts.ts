import type { Severity } from '../scored.ts'
import type { EpisodeKind } from './pipeline-monitor.ts'

/** What people are told: once when it begins, again while it goes on, and when it is over. */
export interface Alert {
  /** The same from firing to resolved. */
  readonly id: string
  readonly pipeline: string
  /**
   * episode: flagged records that belong together; storm: more episodes than are told one by one; unscored and silence:
   * of the whole stream; silent, stuck, regular: of one entity (EpisodeKind).
   */
  readonly kind: 'episode' | 'storm' | 'unscored' | 'silence' | EpisodeKind
  readonly state: 'firing' | 'resolved'
  readonly severity: Severity
  readonly entity: string | null
  readonly summary: string
  readonly started_at: string
  /** null while it fires. */
  readonly ended_at: string | null
  readonly anomalies: number
  readonly max_score: number | null
  /** The fields most often to blame, most often first. */
  readonly fields: readonly string[]
}

/** A way to people. A failed send rejects; the caller tries again. */
export interface AlertChannel extends AsyncDisposable {
  readonly name: string
  send(alerts: readonly Alert[]): Promise<void>
}
