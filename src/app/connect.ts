import { join } from 'node:path'
import type { PipelineConfig } from '../../config/pipeline.ts'
import { duckdbScoreStoreOptions } from '../../connectors/duckdb/options.ts'
import type {
  LabelStore,
  Leases,
  ModelRegistry,
  NoticeStore,
  RetrainQueue,
  ScoreStore,
} from '../core/ports.ts'
import { JobCheckpoints } from '../retrain/job-checkpoints.ts'

/** Each connector is imported when a pipeline names it: reading a config loads no client library. */
export async function connectRegistry(options: PipelineConfig['registry']): Promise<ModelRegistry> {
  if (options.type === 'fs') {
    const { FsModelRegistry } = await import('../../connectors/fs/model-registry.ts')
    return new FsModelRegistry(options.path)
  }
  const { RedisModelRegistry } = await import('../../connectors/redis/model-registry.ts')
  return new RedisModelRegistry(options.url, { prefix: options.prefix })
}

/** Where processes that share a registry elect one of them. */
export async function connectLeases(options: PipelineConfig['registry']): Promise<Leases> {
  if (options.type === 'fs') {
    const { FsLeases } = await import('../../connectors/fs/leases.ts')
    return new FsLeases(join(options.path, '.leases'))
  }
  const { RedisLeases } = await import('../../connectors/redis/leases.ts')
  return new RedisLeases(options.url, options.prefix)
}

/** A pipeline's queue holds its own jobs alone: whoever works it knows their training data. */
export async function connectQueue({
  queue: options,
  name,
}: Pick<PipelineConfig, 'queue' | 'name'>): Promise<RetrainQueue> {
  if (options.type === 'memory') {
    const { MemoryRetrainQueue } = await import('../../connectors/memory/retrain-queue.ts')
    return new MemoryRetrainQueue()
  }
  const { BullmqRetrainQueue } = await import('../../connectors/bullmq/retrain-queue.ts')
  return new BullmqRetrainQueue({ ...options, prefix: `${options.prefix}:${name}` })
}

/**
 * Where a killed fit is gone on with, on any host that sees the folder; beside a registry folder by default. Each pipeline
 * has a folder of its own in it: job ids are counted per queue.
 */
export async function connectCheckpoints({
  name,
  registry,
  retrain,
}: PipelineConfig): Promise<JobCheckpoints | undefined> {
  const folder =
    retrain.checkpoints ?? (registry.type === 'fs' ? join(registry.path, '.checkpoints') : undefined)
  if (folder === undefined) return undefined
  const { FsCheckpointStore } = await import('../../connectors/fs/checkpoint-store.ts')
  return new JobCheckpoints(new FsCheckpointStore(join(folder, name)))
}

/** Where the page finds scores when a pipeline file names no store: a file of 30 days in the working folder. */
export function defaultStore(pipeline: string): NonNullable<PipelineConfig['store']> {
  const options = duckdbScoreStoreOptions.parse({ path: `.surprisal/${pipeline}.duckdb`, retention_days: 30 })
  return { type: 'duckdb', ...options }
}

export async function connectStore(
  options: NonNullable<PipelineConfig['store']>,
): Promise<ScoreStore & LabelStore & NoticeStore> {
  switch (options.type) {
    case 'memory': {
      const { MemoryScoreStore } = await import('../../connectors/memory/score-store.ts')
      return new MemoryScoreStore()
    }
    case 'duckdb': {
      const { type: _, ...rest } = options
      const { DuckdbScoreStore } = await import('../../connectors/duckdb/score-store.ts')
      return new DuckdbScoreStore(rest)
    }
    case 'postgres': {
      const { type: _, ...rest } = options
      const { PostgresScoreStore } = await import('../../connectors/postgres/score-store.ts')
      return new PostgresScoreStore(rest)
    }
  }
}
