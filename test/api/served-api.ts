import type { FastifyInstance } from 'fastify'
import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import { MemoryRetrainQueue } from '../../connectors/memory/retrain-queue.ts'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { createApi } from '../../src/api/create-api.ts'
import type { ApiDeps } from '../../src/api/deps.ts'
import { LiveHub } from '../../src/api/live-hub.ts'
import { apiOptions } from '../../src/api/options.ts'
import { ThreadedArrow } from '../../src/app/http/arrow-bodies.ts'
import type {
  Episode,
  LabelledRecord,
  PipelineMonitor,
  PipelineStatus,
  Scorer,
} from '../../src/core/ports.ts'
import { offsetOf } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { scoredBatch } from '../conformance/scored-batch.ts'
import { demoDensities } from '../web/demo-scores.ts'

/** A pipeline `orders` with 400 scores, three model versions, and a queue: everything the API answers from. */
export interface ServedApi extends AsyncDisposable {
  readonly api: FastifyInstance
  readonly hub: LiveHub
  readonly store: MemoryScoreStore
  readonly queue: MemoryRetrainQueue
  readonly registry: MemoryModelRegistry
}

export const STATUS: PipelineStatus = {
  name: 'orders',
  state: 'degraded',
  reasons: ['the score store does not answer'],
  records_per_second: 120.5,
  records: 400,
  anomalies: 7,
  unscored: 9,
  since: '2026-03-01T08:00:00.000Z',
  lag: 12,
  nominal_rate: 0.05,
  realised_rate: 0.018,
  model_version: 2,
  model_created_at: '2026-02-28T10:00:00.000Z',
}

export async function serveApi(
  options: Parameters<typeof apiOptions.parse>[0] = {},
  more: Partial<ApiDeps> = {},
): Promise<ServedApi> {
  const store = new MemoryScoreStore()
  await store.append(scoredBatch({ pipeline: 'orders', rows: 400 }))
  const registry = new MemoryModelRegistry()
  for (const nll of [3.2, 3.1, 2.9]) {
    const fence = await registry.fence('orders')
    const summary = { held_out_nll: nll, architecture: 'real-nvp', window: { records: 1000 * nll } }
    await registry.put('orders', Buffer.from(`model ${nll}`), summary, fence)
  }
  await registry.setAlias('orders', 'champion', 1, 'ada', 'the first')
  await registry.setAlias('orders', 'champion', 2, 'ada', 'better')
  const queue = new MemoryRetrainQueue()
  const labels: LabelledRecord[] = []
  const hub = new LiveHub()
  const arrow = new ThreadedArrow()
  const api = await createApi({
    options: apiOptions.parse(options),
    store,
    registry,
    queue,
    feed: hub,
    monitor,
    labels: {
      put: async (label) => void labels.push(label),
      labels: async (pipeline) => labels.filter((label) => label.pipeline === pipeline),
    },
    arrow,
    densities: async (record) => demoDensities(record),
    scorer: async (pipeline) => (pipeline === 'orders' ? scorer : undefined),
    ...more,
  })
  return {
    api,
    hub,
    store,
    queue,
    registry,
    async [Symbol.asyncDispose]() {
      await api.close()
      await arrow[Symbol.asyncDispose]()
      await queue[Symbol.asyncDispose]()
    },
  }
}

export const EPISODE: Episode = {
  id: 'e1',
  pipeline: 'orders',
  entity: 'pump-1',
  started_at: '2026-03-01T08:01:00.000Z',
  ended_at: null,
  anomalies: 12,
  max_score: 6.5,
  severity: 'major',
  fields: ['amount'],
}

const monitor: PipelineMonitor = {
  pipelines: async () => [STATUS],
  episodes: async (pipeline) => [{ ...EPISODE, pipeline }],
  drift: async () => [
    {
      from: '2026-03-01T08:00:00.000Z',
      to: '2026-03-01T09:00:00.000Z',
      records: 5000,
      fields: [{ field: 'amount', effect: 0.3, p: 1e-9, drifted: true }],
      triggered: ['amount'],
    },
  ],
}

const scorer: Scorer = {
  modelVersion: 2,
  rate: 0.05,
  async score(batch, { pipeline, runId }): Promise<ScoredBatch> {
    const scored = scoredBatch({ pipeline, rows: batch.rows, runId })
    return {
      ...scored,
      batch: {
        ...batch,
        entity: batch.origin && Array.from({ length: batch.rows }, (_, i) => `${offsetOf(batch.origin, i)}`),
      },
    }
  },
  async [Symbol.asyncDispose]() {},
}
