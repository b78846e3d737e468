export type RetrainTrigger = 'schedule' | 'drift' | 'staleness' | 'api' | 'cli' | 'cold-start'
export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed' | 'cancelled'
export interface RetrainRequest {
  readonly pipeline: string
  readonly trigger: RetrainTrigger
  readonly reason: string
  readonly who: string
  /** recalibrate: new p-values for the champion from recent records, without a fit. Default retrain. */
  readonly action?: 'retrain' | 'recalibrate'
  /** The champion that the reason speaks of: once another has taken over there is nothing left to do. */
  readonly champion?: number
  /** 1 is the most urgent. */
  readonly priority?: number
  /** Wait this long, and let a further trigger in the meantime replace this one. */
  readonly debounceMs?: number
}
export interface RetrainProgress {
  readonly stage: 'queued' | 'collect' | 'fit' | 'calibrate' | 'evaluate' | 'publish' | 'done'
  /** 0 … 1 of the whole job. */
  readonly fraction: number
  /** Which flow of the ensemble the figures are of, from 0. */
  readonly member?: number
  readonly step?: number
  readonly steps?: number
  readonly train_nll?: number
  readonly held_out_nll?: number
  readonly seconds_left?: number
  readonly message?: string
  readonly curve?: readonly { readonly step: number; readonly train: number; readonly held_out: number }[]
}
export interface RetrainJob {
  readonly id: string
  readonly request: RetrainRequest
  readonly state: JobState
  readonly attempts: number
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly progress: RetrainProgress
  readonly result: Readonly<Record<string, unknown>> | null
  readonly error: string | null
  readonly log: readonly string[]
}
export interface JobContext {
  readonly job: RetrainJob
  /** Fires on cancel and on shutdown; `reason` says which. */
  readonly signal: AbortSignal
  /** No attempt follows when this one fails. */
  readonly last: boolean
  progress(update: RetrainProgress): Promise<void>
  log(line: string): Promise<void>
}
export type JobHandler = (context: JobContext) => Promise<Readonly<Record<string, unknown>>>
/** One open job per pipeline: a second request returns the first. */
export interface RetrainQueue extends AsyncDisposable {
  readonly name: string
  open(): Promise<void>
  enqueue(request: RetrainRequest): Promise<RetrainJob>
  job(id: string): Promise<RetrainJob | undefined>
  jobs(filter: {
    readonly pipeline?: string
    readonly states?: readonly JobState[]
    readonly limit?: number
  }): Promise<readonly RetrainJob[]>
  cancel(id: string): Promise<void>
  retry(id: string): Promise<RetrainJob>
  /** A cron expression with its time zone (croner's syntax); null removes the schedule. */
  schedule(pipeline: string, cron: string | null, timezone?: string): Promise<void>
  schedules(): Promise<
    readonly {
      readonly pipeline: string
      readonly cron: string
      readonly timezone: string
      readonly next: string
    }[]
  >
  /** Works jobs until the signal fires. A handler's retryable error is tried again, another fails the job. */
  work(handler: JobHandler, signal: AbortSignal): Promise<void>
}

/** Where training progress survives the process, in named slots. */
export interface CheckpointStore {
  /** Every slot, one that a killed process has left half-written included, with the epoch milliseconds of its last save. */
  slots(): Promise<readonly { readonly slot: string; readonly savedAt: number }[]>
  save(slot: string, bytes: Uint8Array): Promise<void>
  load(slot: string): Promise<Uint8Array | undefined>
  remove(slot: string): Promise<void>
}
