import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdbScoreStoreOptions } from '../../../connectors/duckdb/options.ts'
import { DuckdbScoreStore } from '../../../connectors/duckdb/score-store.ts'
import { FsModelRegistry } from '../../../connectors/fs/model-registry.ts'
import { MemoryRetrainQueue } from '../../../connectors/memory/retrain-queue.ts'
import { assetPath } from '../../core/package-root.ts'
import { random } from '../../core/random.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { Logger } from '../../core/telemetry.ts'
import { FlightFaultPlanter } from '../../demo/flight-faults.ts'
import { LiveFlights } from '../../demo/live-flights.ts'
import { Detector } from '../../detect/detector.ts'
import { readArtifact } from '../../detect/model-file/artifact.ts'
import { runPipeline } from '../../pipeline/run.ts'
import { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import { modelSummary } from '../../retrain/publication.ts'
import { retrainHandler } from '../../retrain/retrain-handler.ts'
import { openHttp } from '../http/open-http.ts'
import { followChampion } from '../stream/champion.ts'
import { LoadedVersions } from '../stream/loaded-versions.ts'
import { lookOn } from '../stream/onlookers.ts'

export interface LiveDemo {
  readonly flights: AsyncIterator<RecordBatch>
  readonly routes: ReadonlySet<string>
  readonly artifact: Uint8Array
  readonly port: number
  readonly rate: number
  readonly faultShare: number
  readonly seed: number
  readonly signal: AbortSignal
  readonly logger: Logger
  /** The dashboard's address, once it answers. */
  onListening(url: string): void
}

const NAME = 'flights'
const RECORDS_PER_SECOND = 5000
const DRIFT = { driftAfter: 200_000, driftMinutes: 20 }
const MINIMUM_RECORDS = 10_000
const TRAINING_SAMPLE = 250_000
const DEBOUNCE_MS = 65_000
/** Shorter, so that a drift's retrain learns from the new normal alone, however fast this machine scores. */
const KEEP_MS = 55_000

/**
 * The demo on its dashboard, all of it in this process and a temporary folder: scores flights as they come in, sees
 * them drift, retrains in a child process, and promotes the better model between two batches.
 */
export async function runLiveDemo(demo: LiveDemo): Promise<void> {
  const { signal, logger, rate, seed } = demo
  const folder = await mkdtemp(join(tmpdir(), 'surprisal-demo-'))
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
  await using registry = new FsModelRegistry(join(folder, 'models'))
  await using store = new DuckdbScoreStore(
    duckdbScoreStoreOptions.parse({ path: join(folder, 'scores.duckdb') }),
  )
  await using queue = new MemoryRetrainQueue()
  await using handle = new ScorerHandle()
  const source = new LiveFlights(demo.flights, {
    ...DRIFT,
    keepMs: KEEP_MS,
    planter: new FlightFaultPlanter(demo.faultShare, demo.routes, random(seed + 2)),
    recordsPerSecond: RECORDS_PER_SECOND,
  })
  const load = (artifact: Uint8Array, modelVersion: number) => Detector.load(artifact, { modelVersion, rate })
  await using versions = new LoadedVersions(async (modelVersion) =>
    Detector.load(await registry.get(NAME, modelVersion), { modelVersion, rate, workers: 1 }),
  )
  const summary = { ...modelSummary(readArtifact(demo.artifact).manifest), decision: 'the first model' }
  const first = await registry.put(NAME, demo.artifact, summary, await registry.fence(NAME))
  await registry.setAlias(NAME, 'champion', first.version, 'demo', 'the first model')

  await store.open()
  await using onlookers = lookOn({
    name: NAME,
    source,
    handle,
    queue,
    notices: store,
    alerts: { limits: { cooldownMs: 60_000, stormLimit: 20 }, told() {} },
    drift: { action: 'retrain', debounceMs: DEBOUNCE_MS },
    logger,
    reasons: () => [],
  })
  const handler = retrainHandler({
    registry,
    // The demo's own operator: whoever finds a fault labels it, so that no model learns from it.
    labels: {
      labels: async (pipeline) => {
        const found = { pipeline, label: 'anomaly', who: 'demo', at: new Date().toISOString() } as const
        return [...Array.from(source.planted, (id) => ({ ...found, id })), ...(await store.labels(pipeline))]
      },
    },
    load,
    plan: () => ({
      window: async function* () {
        yield* source.recent
      },
      source: 'the latest live flights',
      fit: { rate, seed, maxRows: TRAINING_SAMPLE },
      minimumRecords: MINIMUM_RECORDS,
      excluded: [],
      excludeAnomalies: true,
      promote: 'auto',
    }),
  })
  const background = [
    followChampion(
      registry,
      NAME,
      handle,
      async ({ version }) => load(await registry.get(NAME, version), version),
      signal,
      logger,
    ),
    queue.work(handler, signal),
  ]
  await using http = await openHttp(
    { listen: `127.0.0.1:${demo.port}`, cors: [] },
    {
      store,
      registry,
      queue,
      monitor: onlookers.monitor,
      feed: onlookers.feed,
      notices: store,
      logger,
      labels: store,
      densities: versions.densities(NAME),
      page: assetPath('web'),
      scorer: async (pipeline) => (pipeline === NAME ? handle.current : undefined),
    },
  )
  demo.onListening(http.url)
  await runPipeline({
    pipeline: NAME,
    source,
    scorer: handle,
    sinks: [],
    store,
    signal,
    logger,
    observe: onlookers.observe,
  })
  await Promise.allSettled(background)
}
