import { Registry } from 'prom-client'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { assetPath } from '../../core/package-root.ts'
import type { Logger } from '../../core/telemetry.ts'
import type { AlertingOptions } from '../../pipeline/alerting.ts'
import { PipelineMetrics } from '../../pipeline/metrics.ts'
import { type PipelineOutcome, runPipeline } from '../../pipeline/run.ts'
import { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import { connectRegistry, connectStore, defaultStore } from '../connect.ts'
import { watchOptions } from '../files/alert-rules.ts'
import { openHttp } from '../http/open-http.ts'
import { durationMs } from '../jobs/retrain-plan.ts'
import { connectAlerts, connectDeadLetters, connectSinks, connectSource } from './connect-stream.ts'
import { startLearning } from './learning.ts'
import { Lifetime } from './lifetime.ts'
import { LoadedVersions } from './loaded-versions.ts'
import { lookOn, modelOf } from './onlookers.ts'
import { PipelineModels } from './pipeline-models.ts'
import { reloadOnSignal } from './reload-signal.ts'

/**
 * `surprisal run`: the scorer, the API and, where jobs wait in this process, the trainer of one pipeline. Returns
 * after the signal once all is drained and committed, or when the source has ended; throws what ends the pipeline.
 * On SIGHUP, where `reread` is given, the pipeline file is read again and what can change in flight is applied.
 */
export async function runPipelineFile(
  config: PipelineConfig,
  signal: AbortSignal,
  logger: Logger & { level?: string },
  reread?: () => Promise<PipelineConfig>,
): Promise<PipelineOutcome> {
  await using life = new Lifetime(signal, logger)
  const { name } = config
  let onOpen = () => {}
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve
    life.stop.addEventListener('abort', onOpen, { once: true })
  })

  const registry = life.keep(await connectRegistry(config.registry))
  const connected = await connectSource(config, logger)
  const source = life.keep(connected.source)
  const sinks = (await connectSinks(config, logger)).map((sink) => life.keep(sink))
  const deadLetters = await connectDeadLetters(config, logger)
  if (deadLetters !== undefined) life.keep(deadLetters)
  const storeOptions = config.store ?? (config.api && defaultStore(name))
  const store = storeOptions && life.keep(await connectStore(storeOptions))
  const outboxes = (await connectAlerts(config, logger)).map((outbox) => life.keep(outbox))

  const handle = life.keep(new ScorerHandle())
  const models = new PipelineModels(config, registry)
  const learning =
    config.model.file === undefined
      ? await startLearning(life, {
          config,
          source: connected,
          registry,
          models,
          handle,
          opened,
          logger,
          ...(store && { store }),
        })
      : undefined
  if (learning === undefined) handle.swap(await models.load(1))

  const reasons = () =>
    [source.unready?.() ?? null, learning?.warming ?? null].filter((reason) => reason !== null)
  const onlookers = life.keep(
    lookOn({
      name,
      source,
      handle,
      reasons,
      drift: { action: config.retrain.drift, debounceMs: durationMs(config.retrain.drift_debounce) },
      alerts: {
        limits: limitsOf(config),
        told(alert) {
          for (const outbox of outboxes) outbox.put(alert)
        },
      },
      logger,
      ...(learning && { queue: learning.queue, shadow: learning.shadow }),
      ...(store && { notices: store }),
    }),
  )
  const metrics = new Registry()
  if (config.api !== undefined && store !== undefined) {
    const versions = life.keep(new LoadedVersions((version) => models.load(version, 1)))
    const http = life.keep(
      await openHttp(config.api, {
        store,
        labels: store,
        registry,
        metrics,
        scorer: async (pipeline) => (pipeline === name ? handle.current : undefined),
        densities: versions.densities(name),
        unready: async () => reasons(),
        monitor: onlookers.monitor,
        feed: onlookers.feed,
        notices: store,
        page: assetPath('web'),
        ...(learning && { queue: learning.queue }),
        logger,
      }),
    )
    logger.info({ url: http.url }, 'HTTP API')
  }
  const pipelineMetrics = new PipelineMetrics(metrics, name, source)
  pipelineMetrics.watchShadow(() => learning?.shadow.report)
  pipelineMetrics.watchModel(() => modelOf(handle.current)?.createdAt)
  if (reread !== undefined) {
    const parts = { config, reread, models, handle, metrics, logger }
    life.keep(reloadOnSignal({ ...parts, ...(learning && { queue: learning.queue }) }))
  }

  return await runPipeline({
    pipeline: name,
    source,
    scorer: handle,
    sinks,
    signal,
    logger,
    options: { errors: config.errors, flow_control: config.flow_control },
    replay: config.features.windows.replay,
    metrics: pipelineMetrics,
    onOpen,
    observe: onlookers.observe,
    ...(deadLetters && { deadLetters }),
    ...(store && { store }),
  })
}

/** Read when they are needed, for a reload changes them. */
function limitsOf({ alerts }: PipelineConfig): AlertingOptions {
  return {
    get cooldownMs() {
      return alerts.cooldown_ms
    },
    get stormLimit() {
      return alerts.storm_limit
    },
    get watch() {
      return watchOptions(alerts)
    },
  }
}
