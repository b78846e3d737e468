import type { PipelineConfig } from '../../config/pipeline.ts'
import type { ModelRegistry, RetrainQueue, ScoreStore } from '../core/ports.ts'

/** Each connector is imported when a pipeline names it: reading a config loads no client library. */
export async function connectRegistry(options: PipelineConfig['registry']): Promise<ModelRegistry> {
  if (options.type === 'fs') {
    const { FsModelRegistry } = await import('../../connectors/fs/model-registry.ts')
    return new FsModelRegistry(options.path)
  }
  const { RedisModelRegistry } = await import('../../connectors/redis/model-registry.ts')
  return new RedisModelRegistry(options.url, { prefix: options.prefix })
}

export async function connectQueue(options: PipelineConfig['queue']): Promise<RetrainQueue> {
  if (options.type === 'memory') {
    const { MemoryRetrainQueue } = await import('../../connectors/memory/retrain-queue.ts')
    return new MemoryRetrainQueue()
  }
  const { BullmqRetrainQueue } = await import('../../connectors/bullmq/retrain-queue.ts')
  return new BullmqRetrainQueue(options)
}

export async function connectStore(options: NonNullable<PipelineConfig['store']>): Promise<ScoreStore> {
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
