import { setTimeout as sleep } from 'node:timers/promises'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { messageOf, SurprisalError } from '../../core/errors.ts'
import type { LabelStore, ModelRegistry, RetrainQueue } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'
import { Detector } from '../../detect/detector.ts'
import type { JobCheckpoints } from '../../retrain/job-checkpoints.ts'
import { retrainHandler } from '../../retrain/retrain-handler.ts'
import type { ConnectedSource } from '../stream/connect-stream.ts'
import { retrainPlan } from './retrain-plan.ts'

const SWEEP_MS = 600_000

export interface TrainerParts {
  readonly queue: RetrainQueue
  readonly registry: ModelRegistry
  readonly source: ConnectedSource
  readonly labels?: LabelStore
  readonly checkpoints?: JobCheckpoints
}

/** A model file as the pipeline file wants it scored. */
export function loadDetector(
  { alerts, features }: PipelineConfig,
  artifact: Uint8Array,
  modelVersion: number,
  workers?: number,
): Promise<Detector> {
  return Detector.load(artifact, {
    modelVersion,
    ...(workers !== undefined && { workers }),
    redact: features.redact,
    explainPerSecond: alerts.explain_per_second,
    suppress: alerts.suppress,
    ...(alerts.rate !== undefined && { rate: alerts.rate }),
  })
}

/** Works the pipeline's retraining jobs until the signal fires: each fit runs in a child process. */
export async function trainJobs(
  config: PipelineConfig,
  { queue, source, ...parts }: TrainerParts,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  if (parts.checkpoints !== undefined) void sweepNowAndThen(parts.checkpoints, queue, signal, logger)
  const handler = retrainHandler({
    ...parts,
    plan(pipeline) {
      if (pipeline === config.name) return retrainPlan(config, source)
      throw new SurprisalError(
        'CONFIG_INVALID',
        `the job is for pipeline "${pipeline}" and this trainer works for "${config.name}": give each its own queue.prefix`,
      )
    },
    load: (artifact, version) => loadDetector(config, artifact, version),
  })
  await queue.work(async (context) => {
    const { id, request, attempts } = context.job
    logger.info({ job: id, attempt: attempts, reason: request.reason }, 'retraining')
    try {
      const result = await handler(context)
      logger.info({ job: id, version: result.version, decision: result.decision }, 'retrained')
      return result
    } catch (error) {
      logger.warn({ job: id, error: messageOf(error) }, 'retraining stopped')
      throw error
    }
  }, signal)
}

/** A job whose trainer was killed has not ended when the next one starts: the queue waits for its lock first. */
async function sweepNowAndThen(
  checkpoints: JobCheckpoints,
  queue: RetrainQueue,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const files = await checkpoints.sweep((id) => queue.job(id))
      if (files > 0) logger.info({ files }, 'removed checkpoints of jobs that have ended')
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'checkpoints of ended jobs could not be removed')
    }
    await sleep(SWEEP_MS, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
