import type { DriftReport, Episode, PipelineStatus } from './pipeline-monitor.ts'

/** What a process told, and when it last did. */
export interface Heard<Notice> {
  readonly notice: Notice
  /** Epoch milliseconds. */
  readonly heardAt: number
}

/**
 * What the processes that run pipelines noticed, kept beside the scores so that others, and later ones, can show it.
 * A store keeps at least the newest 500 of each kind for a pipeline, and not many more.
 */
export interface NoticeStore {
  /** An episode takes the place of its earlier self. */
  putEpisode(episode: Episode): Promise<void>
  putDrift(pipeline: string, look: DriftReport): Promise<void>
  /** A process tells how its pipeline is; a later status of the same process takes its place. */
  putStatus(process: string, status: PipelineStatus): Promise<void>
  /** Newest first. */
  episodes(pipeline: string, limit: number): Promise<readonly Heard<Episode>[]>
  /** Looks, newest first. */
  drift(pipeline: string, limit: number): Promise<readonly DriftReport[]>
  /** The last of each process, of every pipeline. */
  statuses(): Promise<readonly Heard<PipelineStatus>[]>
}
