import { LiveHub } from '../../api/live-hub.ts'
import { PipelineWatch } from '../../api/pipeline-watch.ts'
import { messageOf } from '../../core/errors.ts'
import type { Alert, NoticeStore, RetrainQueue, Scorer, Source } from '../../core/ports.ts'
import type { ScoredBatch } from '../../core/scored.ts'
import type { Logger } from '../../core/telemetry.ts'
import { Detector } from '../../detect/detector.ts'
import { Alerting, type AlertingOptions } from '../../pipeline/alerting.ts'
import type { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import type { Shadow } from '../../pipeline/shadow.ts'
import { DriftWatch, type DriftWatchOptions } from '../../retrain/drift-watch.ts'

const TICK_MS = 5_000

export interface Onlookers extends AsyncDisposable {
  /** Sees every scored batch after its destinations took it. */
  observe(scored: ScoredBatch): void
  readonly monitor: PipelineWatch
  readonly feed: LiveHub
}

/** Who looks on while a pipeline runs: the page's status, its live feed, episodes and alerts, the watch for drift. */
export function lookOn(pipeline: {
  readonly name: string
  readonly source: Source
  readonly handle: ScorerHandle
  readonly queue?: RetrainQueue
  readonly notices?: NoticeStore
  readonly shadow?: Shadow
  readonly drift: Pick<DriftWatchOptions, 'action' | 'debounceMs'>
  readonly alerts: { readonly limits: AlertingOptions; told(alert: Alert): void }
  readonly logger: Logger
  reasons(): readonly string[]
}): Onlookers {
  const { name, source, handle, queue, notices, shadow, alerts, logger, reasons } = pipeline
  const feed = new LiveHub()
  const lag = (): number | null => source.lags?.().reduce((sum, { lag }) => sum + lag, 0) ?? null
  const model = () => modelOf(handle.current)
  const monitor = new PipelineWatch(
    { name, reasons, lag, model, shadow: () => shadow?.report },
    feed,
    notices,
  )
  const alerting = new Alerting(name, alerts.limits, alerts.told, Date.now(), (episode) =>
    monitor.episode(episode),
  )
  const drift = new DriftWatch({
    ...pipeline.drift,
    pipeline: name,
    logger,
    onLook: (report) => monitor.drifted(report),
    ...(queue && { queue }),
  })
  let watched: Detector | undefined
  let failing = false
  const report = async () => {
    try {
      await monitor.report()
      failing = false
    } catch (error) {
      if (!failing) logger.warn({ error: messageOf(error) }, 'the store does not take notices, trying again')
      failing = true
    }
  }
  let reporting = Promise.resolve()
  const ticking = setInterval(() => {
    alerting.tick(Date.now(), (lag() ?? 0) > 0)
    reporting = reporting.then(report)
  }, TICK_MS)
  return {
    monitor,
    feed,
    observe(scored) {
      monitor.observe(scored)
      const { current } = handle
      const own = current instanceof Detector && current.modelVersion === scored.modelVersion
      if (own && watched?.manifest !== current.manifest) {
        watched = current
        alerting.learned(current.manifest.habits)
      }
      alerting.observe(scored)
      shadow?.observe(scored)
      if (own) drift.observe(scored, current.manifest.drift)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ticking)
      await reporting
      monitor.end('stopped', 'the process that ran it has ended')
      await report()
    },
  }
}

export function modelOf(
  scorer: Scorer | undefined,
): ReturnType<ConstructorParameters<typeof PipelineWatch>[0]['model']> {
  if (scorer === undefined) return undefined
  const createdAt = scorer instanceof Detector ? scorer.manifest.created_at : null
  return { version: scorer.modelVersion, rate: scorer.rate, createdAt }
}
