import type { Registry } from 'prom-client'
import type {
  ArrowBodies,
  LabelStore,
  LiveFeed,
  ModelRegistry,
  NoticeStore,
  PipelineMonitor,
  RecordDensities,
  RetrainQueue,
  Scorer,
  ScoreStore,
} from '../core/ports.ts'
import type { ScoredRecord } from '../core/scored.ts'
import type { Logger } from '../core/telemetry.ts'
import type { ApiOptions } from './options.ts'

/** What the API answers from. What is absent is answered with 501 and says which setting brings it. */
export interface ApiDeps {
  readonly options: ApiOptions
  readonly store: ScoreStore
  readonly registry: ModelRegistry
  readonly queue?: RetrainQueue
  readonly labels?: LabelStore
  /** What the pipelines of this process are like. */
  readonly monitor?: PipelineMonitor
  /** What other processes, and earlier ones, noticed. */
  readonly notices?: NoticeStore
  readonly feed?: LiveFeed
  /** The champion of a pipeline, for records posted to be scored; undefined where it has none. */
  readonly scorer?: (pipeline: string) => Promise<Scorer | undefined>
  /** What the version that scored a record expects of its fields; undefined where it is not at hand. */
  readonly densities?: (record: ScoredRecord) => Promise<RecordDensities | undefined>
  /** Reads records that are posted as Arrow, and answers in it. */
  readonly arrow?: ArrowBodies
  readonly metrics?: Registry
  /** Why this process is not ready to work; empty when it is. */
  readonly unready?: () => Promise<readonly string[]>
  readonly logger?: Logger
  /** Where the page's files lie; absent serves the API alone. */
  readonly page?: string
}
