import { LiveHub } from '../api/live-hub.ts'
import { PipelineWatch } from '../api/pipeline-watch.ts'
import type { RetrainQueue, Scorer, Source } from '../core/ports.ts'
import type { ScoredBatch } from '../core/scored.ts'
import type { Logger } from '../core/telemetry.ts'
import { Detector } from '../detect/detector.ts'
import type { ScorerHandle } from '../pipeline/scorer-handle.ts'
import { DriftWatch, type DriftWatchOptions } from '../retrain/drift-watch.ts'

export interface Onlookers {
  /** Sees every scored batch after its destinations took it. */
  observe(scored: ScoredBatch): void
  readonly monitor: PipelineWatch
  readonly feed: LiveHub
}

/** Who looks on while a pipeline runs: the page's status, its live feed, and the watch for drift. */
export function lookOn(pipeline: {
  readonly name: string
  readonly source: Source
  readonly handle: ScorerHandle
  readonly queue?: RetrainQueue
  readonly drift: Pick<DriftWatchOptions, 'action' | 'debounceMs'>
  readonly logger: Logger
  reasons(): readonly string[]
}): Onlookers {
  const { name, source, handle, queue, logger, reasons } = pipeline
  const feed = new LiveHub()
  const lag = (): number | null => source.lags?.().reduce((sum, { lag }) => sum + lag, 0) ?? null
  const monitor = new PipelineWatch({ name, reasons, lag, model: () => modelOf(handle.current) }, feed)
  const drift = new DriftWatch({
    ...pipeline.drift,
    pipeline: name,
    logger,
    onLook: (report) => monitor.drifted(report),
    ...(queue && { queue }),
  })
  return {
    monitor,
    feed,
    observe(scored) {
      monitor.observe(scored)
      const { current } = handle
      if (current instanceof Detector && current.modelVersion === scored.modelVersion)
        drift.observe(scored, current.manifest.drift)
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
