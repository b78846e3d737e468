import type { PipelineConfig } from '../../../config/pipeline.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { Logger } from '../../core/telemetry.ts'
import { connectCheckpoints, connectQueue, connectRegistry, connectStore } from '../connect.ts'
import { connectSource } from '../stream/connect-stream.ts'
import { trainJobs } from './train-jobs.ts'

/**
 * `surprisal trainer`: works the retraining jobs of a pipeline until the signal fires; a fit that is stopped goes on
 * from its checkpoints on the next trainer. CONFIG_INVALID for a queue that other processes cannot see.
 */
export async function runTrainer(
  config: PipelineConfig,
  { concurrency }: { readonly concurrency?: number },
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  const { queue: queueOptions } = config
  if (queueOptions.type !== 'bullmq') {
    throw new SurprisalError(
      'CONFIG_INVALID',
      `queue.type is ${queueOptions.type}: its jobs wait inside surprisal run, which also works them; a trainer needs queue: { type: bullmq, url: redis://… }`,
    )
  }
  const { source } = config
  await using registry = await connectRegistry(config.registry)
  await using queue = await connectQueue({
    ...config,
    queue: { ...queueOptions, ...(concurrency !== undefined && { concurrency }) },
  })
  await queue.open()
  const connected = await connectSource(config, logger)
  await using _live = connected.source
  // A DuckDB file and the memory belong to the process that scores.
  await using labels = config.store?.type === 'postgres' ? await connectStore(config.store) : undefined
  await labels?.open()
  const checkpoints = await connectCheckpoints(config)
  logger.info({ source: source.type, checkpoints: checkpoints !== undefined }, 'waiting for jobs')
  await trainJobs(
    config,
    { queue, registry, source: connected, ...(labels && { labels }), ...(checkpoints && { checkpoints }) },
    signal,
    logger,
  )
}
