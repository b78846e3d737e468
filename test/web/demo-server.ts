import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import { MemoryRetrainQueue } from '../../connectors/memory/retrain-queue.ts'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { createApi } from '../../src/api/create-api.ts'
import { LiveHub } from '../../src/api/live-hub.ts'
import { type ApiOptions, apiOptions } from '../../src/api/options.ts'
import { assetPath } from '../../src/core/package-root.ts'
import type { Episode, LabelledRecord } from '../../src/core/ports.ts'
import { monitor, NOTHING } from './demo-monitor.ts'
import { demoDensities, scores } from './demo-scores.ts'
import { models, train } from './demo-training.ts'

export interface DemoServer extends AsyncDisposable {
  readonly url: string
  readonly store: MemoryScoreStore
  readonly hub: LiveHub
  readonly queue: MemoryRetrainQueue
  readonly registry: MemoryModelRegistry
  /** Scores so many records as of now; with `anomalous`, all of them are flagged. */
  score(records: number, anomalous?: boolean): Promise<void>
  /** Tells of an episode of flights that goes on. */
  episode(of: Pick<Episode, 'id' | 'entity' | 'anomalies'>): void
}

/** The page over two pipelines with six hours of scores, three model versions and a trainer that takes its time. */
export async function startDemoServer(
  options: Partial<ApiOptions> = {},
  settings: { readonly empty?: boolean; readonly jobMs?: number; readonly port?: number } = {},
): Promise<DemoServer> {
  const store = new MemoryScoreStore()
  const registry = new MemoryModelRegistry()
  const queue = new MemoryRetrainQueue()
  const hub = new LiveHub()
  const labels: LabelledRecord[] = []
  const state = { offset: 0 }
  const now = Date.now()
  if (!settings.empty) {
    await store.append(scores('flights', 12_000, state, now - 6 * 3_600_000, 1800))
    await store.append(scores('payments', 3000, { offset: 0 }, now - 3_500_000, 1100))
    await models(registry)
    for (const state of ['failed', 'done'] as const)
      await queue.enqueue({
        pipeline: state === 'done' ? 'flights' : 'payments',
        trigger: 'drift',
        reason: 'fuel_flow drifted in two looks',
        who: 'drift monitor',
      })
  }
  const stop = new AbortController()
  const working = queue.work((context) => train(context, settings.jobMs ?? 4000), stop.signal)
  const api = await createApi({
    options: apiOptions.parse({ rate_limit: 100_000, ...options }),
    store,
    registry,
    queue,
    feed: hub,
    monitor: settings.empty ? NOTHING : monitor(now),
    labels: {
      put: async (label) => void labels.push(label),
      labels: async (pipeline) => labels.filter((label) => label.pipeline === pipeline),
    },
    densities: async (record) => demoDensities(record),
    page: assetPath('web'),
  })
  const url = await api.listen({
    port: settings.port ?? Number(process.env.PAGE_PORT ?? 0),
    host: '127.0.0.1',
  })
  return {
    url,
    store,
    hub,
    queue,
    registry,
    async score(records, anomalous = false) {
      const batch = scores('flights', records, state, Date.now() - records, 1, anomalous)
      await store.append(batch)
      hub.scored(batch)
    },
    episode(of) {
      const started_at = new Date().toISOString()
      const rest = { ended_at: null, max_score: 4.2, severity: 'minor', fields: ['heading'] } as const
      hub.publish({
        kind: 'episode',
        pipeline: 'flights',
        episode: { pipeline: 'flights', started_at, ...rest, ...of },
      })
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await api.close()
      await working
      await queue[Symbol.asyncDispose]()
    },
  }
}
