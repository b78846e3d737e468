import { MemoryModelRegistry } from '../../connectors/memory/model-registry.ts'
import { MemoryRetrainQueue } from '../../connectors/memory/retrain-queue.ts'
import { MemoryScoreStore } from '../../connectors/memory/score-store.ts'
import { createApi } from '../../src/api/create-api.ts'
import { LiveHub } from '../../src/api/live-hub.ts'
import { type ApiOptions, apiOptions } from '../../src/api/options.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import { assetPath } from '../../src/core/package-root.ts'
import type {
  DriftReport,
  Episode,
  JobContext,
  LabelledRecord,
  PipelineMonitor,
  PipelineStatus,
} from '../../src/core/ports.ts'
import { random } from '../../src/core/random.ts'
import { ANOMALY, type FieldSurprise, NORMAL, type ScoredBatch, UNSCORED } from '../../src/core/scored.ts'

export const RATE = 0.001
const FIELDS = ['altitude', 'air_speed', 'fuel_flow', 'heading', 'cabin_pressure', 'engine_temperature']

export interface DemoServer extends AsyncDisposable {
  readonly url: string
  readonly store: MemoryScoreStore
  readonly hub: LiveHub
  readonly queue: MemoryRetrainQueue
  readonly registry: MemoryModelRegistry
  /** Scores so many records as of now; with `anomalous`, all of them are flagged. */
  score(records: number, anomalous?: boolean): Promise<void>
}

/** The page over two pipelines with six hours of scores, three model versions and a trainer that takes its time. */
export async function startDemoServer(
  options: Partial<ApiOptions> = {},
  settings: { readonly empty?: boolean; readonly jobMs?: number } = {},
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
    page: assetPath('web'),
  })
  const url = await api.listen({ port: Number(process.env.PAGE_PORT ?? 0), host: '127.0.0.1' })
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
    async [Symbol.asyncDispose]() {
      stop.abort()
      await api.close()
      await working
      await queue[Symbol.asyncDispose]()
    },
  }
}

function scores(
  pipeline: string,
  rows: number,
  state: { offset: number },
  from: number,
  every: number,
  anomalous = false,
): ScoredBatch {
  const next = random(rows + state.offset)
  const first = state.offset
  state.offset += rows
  const storm = (row: number) => row > rows * 0.62 && row < rows * 0.63
  const pValue = Float64Array.from({ length: rows }, (_, row) =>
    anomalous || (storm(row) && next.uniform() < 0.3) ? RATE * 10 ** (-4 * next.uniform()) : next.uniform(),
  )
  const verdict = Uint8Array.from(pValue, (p, row) =>
    p <= RATE ? ANOMALY : row % 997 === 500 ? UNSCORED : NORMAL,
  )
  const flagged = [...verdict.keys()].filter((row) => verdict[row] === ANOMALY)
  return {
    batch: {
      rows,
      columns: new Map(),
      origin: { prefix: `${pipeline}-0`, offsets: { first }, topic: pipeline, partition: 0 },
      eventTime: Float64Array.from({ length: rows }, (_, row) => from + row * every),
      entity: Array.from({ length: rows }, (_, row) => `${pipeline}-${100 + (row % 7)}`),
    },
    pipeline,
    modelVersion: 2,
    scoredAt: Math.round(from + rows * every),
    threshold: RATE,
    pValue,
    score: pValue.map((p) => -Math.log10(p)),
    logProb: pValue.map((p) => 3 * Math.log(p) - 11),
    pMethod: Uint8Array.from(pValue, (p) => (p < 0.05 ? 1 : 0)),
    verdict,
    reasons: new Map(flagged.map((row) => [row, row % 5 === 0 ? ['currency: was always EUR, is USD'] : []])),
    attributions: new Map(flagged.map((row) => [row, blame(row, -Math.log(pValue[row]))])),
  }
}

function blame(row: number, nats: number): FieldSurprise[] {
  return FIELDS.map((field, i) => {
    const share = nats * 0.55 ** ((i + row) % FIELDS.length)
    const low = 100 * (i + 1)
    return {
      field,
      surprise_nats: share,
      value: share > 4 ? low * 2.4 + row * 0.37 : low * 1.1,
      expected: low * 1.15,
      normal_low: low,
      normal_high: low * 1.3,
    }
  }).sort((a, b) => b.surprise_nats - a.surprise_nats)
}

async function models(registry: MemoryModelRegistry): Promise<void> {
  const nlls = [-1.482, -1.517, -1.533]
  for (const [i, nll] of nlls.entries()) {
    const summary = {
      architecture: i === 0 ? 'real-nvp' : 'glow',
      engine: 'kernel',
      held_out_nll: nll,
      rate: RATE,
      window: {
        records: 180_000 + 1000 * i,
        from: '2026-02-20T00:00:00.000Z',
        to: `2026-02-2${5 + i}T00:00:00.000Z`,
      },
      decision: i === 2 ? 'waits for approval' : 'nowhere worse than the champion',
    }
    await registry.put('flights', Buffer.alloc(480_000 + i), summary, await registry.fence('flights'))
  }
  await registry.setAlias('flights', 'champion', 1, 'ada', 'the first model')
  await registry.setAlias(
    'flights',
    'champion',
    2,
    'trainer',
    'NLL lower by 0.035 nats (95 %: 0.021 to 0.049)',
  )
  await registry.setAlias('flights', 'challenger', 3, 'trainer', 'waits for approval')
}

async function train({ job, signal, progress, log }: JobContext, ms: number) {
  await log(`collected 180,000 records for ${job.request.pipeline}`)
  const curve: { step: number; train: number; held_out: number }[] = []
  for (let step = 0; step <= 40; step++) {
    signal.throwIfAborted()
    curve.push({
      step: step * 50,
      train: 2 * Math.exp(-step / 9) - 1.55,
      held_out: 2 * Math.exp(-step / 9) - 1.51,
    })
    await progress({
      stage: 'fit',
      fraction: step / 40,
      seconds_left: ((40 - step) * ms) / 40_000,
      held_out_nll: curve[step].held_out,
      curve: [...curve],
    })
    if (job.request.pipeline === 'payments' && step === 10)
      throw new SurprisalError('DATA_INSUFFICIENT', 'the window holds 12 records, 500 are needed')
    if (step % 10 === 0) await log(`step ${step * 50}: held-out NLL ${curve[step].held_out.toFixed(3)}`)
    await new Promise((resolve) => setTimeout(resolve, ms / 40))
  }
  return { version: 4 }
}

const NOTHING: PipelineMonitor = {
  pipelines: async () => [],
  episodes: async () => [],
  drift: async () => [],
}

function monitor(start: number): PipelineMonitor {
  const iso = (back: number) => new Date(start - back).toISOString()
  const base = { since: iso(21_600_000), nominal_rate: RATE, lag: 0, reasons: [] } as const
  const statuses: PipelineStatus[] = [
    {
      ...base,
      name: 'flights',
      state: 'running',
      records_per_second: 1840.2,
      records: 12_000,
      anomalies: 47,
      unscored: 12,
      realised_rate: 0.0039,
      model_version: 2,
      model_created_at: iso(7_400_000),
    },
    {
      ...base,
      name: 'payments',
      state: 'degraded',
      reasons: ['the sink kafka:payments.scored takes 3 s per write, records wait in the source'],
      records_per_second: 12.5,
      lag: 48_211,
      records: 3000,
      anomalies: 9,
      unscored: 3,
      realised_rate: 0.003,
      model_version: 1,
      model_created_at: iso(86_400_000 * 9),
    },
    {
      ...base,
      name: 'sensors',
      state: 'waiting',
      reasons: ['no model yet: 1,204 of the 5,000 records that the first training needs have come'],
      records_per_second: 4,
      lag: null,
      records: 0,
      anomalies: 0,
      unscored: 0,
      nominal_rate: null,
      realised_rate: null,
      model_version: null,
      model_created_at: null,
    },
  ]
  const looks: DriftReport[] = Array.from({ length: 20 }, (_, look) => ({
    from: iso(900_000 * (look + 1)),
    to: iso(900_000 * look),
    records: 5000,
    fields: FIELDS.map((field, i) => {
      const effect = i === 2 ? Math.max(0.02, 0.31 - look * 0.03) : 0.012 + 0.006 * ((i + look) % 4)
      return { field, effect, p: effect > 0.1 ? 1e-9 : 0.2, drifted: effect > 0.1 }
    }).sort((a, b) => b.effect - a.effect),
    triggered: look < 6 ? ['fuel_flow'] : [],
  }))
  const episodes: Episode[] = [
    {
      id: 'e2',
      pipeline: 'flights',
      entity: null,
      started_at: iso(8_200_000),
      ended_at: iso(8_000_000),
      anomalies: 36,
      max_score: 6.9,
      severity: 'critical',
      fields: ['fuel_flow', 'engine_temperature'],
    },
    {
      id: 'e1',
      pipeline: 'flights',
      entity: 'flights-103',
      started_at: iso(600_000),
      ended_at: null,
      anomalies: 4,
      max_score: 3.9,
      severity: 'warning',
      fields: ['heading'],
    },
  ]
  return {
    pipelines: async () => statuses,
    episodes: async (pipeline) => (pipeline === 'flights' ? episodes : []),
    drift: async (pipeline) => (pipeline === 'flights' ? looks : []),
  }
}
