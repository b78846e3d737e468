import { retrainedByEach } from '../../../config/advice.ts'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import type { LabelStore, ModelRegistry, RetrainQueue, ScoreStore } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'
import type { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import { Shadow } from '../../pipeline/shadow.ts'
import { connectLeases, connectQueue } from '../connect.ts'
import { durationMs, windowStart } from '../jobs/retrain-plan.ts'
import { trainJobs } from '../jobs/train-jobs.ts'
import { followChampion } from './champion.ts'
import { warmUp } from './cold-start.ts'
import type { ConnectedSource } from './connect-stream.ts'
import { Election } from './election.ts'
import type { Lifetime } from './lifetime.ts'
import type { PipelineModels } from './pipeline-models.ts'
import { watchAge } from './staleness.ts'

export interface Learning {
  readonly queue: RetrainQueue
  readonly shadow: Shadow
  /** What the first model waits for; null once there is one. */
  readonly warming: string | null
}

export interface LearningParts {
  readonly config: PipelineConfig
  readonly source: ConnectedSource
  readonly registry: ModelRegistry
  readonly models: PipelineModels
  readonly handle: ScorerHandle
  readonly store?: ScoreStore & LabelStore
  /** Resolves once the pipeline has opened its parts: a job reads labels from the store. */
  readonly opened: Promise<void>
  readonly logger: Logger
}

/**
 * Keeps the model of a running pipeline present and young: the first fit, the champion as it changes, the challenger
 * in the shadow, the schedule and the greatest age; where jobs wait in this process, their trainer too.
 */
export async function startLearning(life: Lifetime, parts: LearningParts): Promise<Learning> {
  const { config, source, registry, models, handle, store, opened, logger } = parts
  const { name, retrain } = config
  const { stop } = life
  const shadow = life.keep(
    new Shadow({
      pipeline: name,
      challenger: async () => (await registry.alias(name, 'challenger'))?.version,
      load: (version) => models.load(version, 1),
      logger,
      ...(store && { store }),
    }),
  )
  const queue = life.keep(await connectQueue(config))
  const advice = retrainedByEach(config)
  if (advice !== undefined) logger.warn({}, advice)
  await queue.open()
  const alone = config.queue.type === 'memory'
  const election = alone ? life.keep(new Election(await connectLeases(config.registry), name)) : undefined
  const learning: { -readonly [K in keyof Learning]: Learning[K] } = { queue, shadow, warming: null }
  life.await(followChampion(registry, name, handle, ({ version }) => models.load(version), stop, logger))
  life.await(shadow.follow(stop))
  life.await(
    warmUp(
      {
        pipeline: name,
        source,
        queue,
        handle,
        hasChampion: async () => (await registry.alias(name, 'champion')) !== undefined,
        minimumRecords: retrain.min_records,
        since: () => windowStart(config),
        logger,
        ...(election && { election }),
      },
      (waiting) => {
        learning.warming = waiting
      },
      stop,
    ),
  )
  if (retrain.max_age !== undefined) {
    const maxAgeMs = durationMs(retrain.max_age)
    life.await(watchAge({ pipeline: name, registry, queue, maxAgeMs, logger }, stop))
  }
  await queue.schedule(name, retrain.schedule ?? null, retrain.timezone)
  if (alone) {
    const jobParts = { queue, registry, source, ...(store && { labels: store }) }
    life.await(opened.then(() => trainJobs(config, jobParts, stop, logger)))
  }
  return learning
}
