import type { Registry } from 'prom-client'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import type { RetrainQueue } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'
import { Detector } from '../../detect/detector.ts'
import type { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import { ConfigReload } from './config-reload.ts'
import type { PipelineModels } from './pipeline-models.ts'

/** Settings that a loaded detector has taken in. */
const SCORING = /^(alerts\.(rate|explain_per_second)|features\.redact)$/

export interface ReloadParts {
  readonly config: PipelineConfig
  /** Reads the pipeline file again; throws where it is invalid. */
  reread(): Promise<PipelineConfig>
  readonly models: PipelineModels
  readonly handle: ScorerHandle
  readonly queue?: RetrainQueue
  readonly metrics: Registry
  readonly logger: Logger & { level?: string }
}

/** On SIGHUP the pipeline file is read again and what can change in flight is applied, until it is disposed. */
export function reloadOnSignal(parts: ReloadParts): AsyncDisposable {
  const { config, reread, models, handle, queue, metrics, logger } = parts
  const reload = new ConfigReload({
    config,
    load: reread,
    async apply(changed) {
      logger.level = config.log.level
      const { current } = handle
      if (changed.some((path) => SCORING.test(path)) && current instanceof Detector) {
        const again = await models.again(current)
        if (handle.current === current) handle.swap(again)
        else await again[Symbol.asyncDispose]()
      }
      await queue?.schedule(config.name, config.retrain.schedule ?? null, config.retrain.timezone)
    },
    metrics,
    logger,
  })
  const onSignal = () => void reload.request()
  process.on('SIGHUP', onSignal)
  return {
    async [Symbol.asyncDispose]() {
      process.off('SIGHUP', onSignal)
    },
  }
}
