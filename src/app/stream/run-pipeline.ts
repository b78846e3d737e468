import { readFile } from 'node:fs/promises'
import { Registry } from 'prom-client'
import { retrainedByEach } from '../../../config/advice.ts'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { onFile } from '../../../connectors/files/file-error.ts'
import { messageOf } from '../../core/errors.ts'
import { assetPath } from '../../core/package-root.ts'
import type { Logger } from '../../core/telemetry.ts'
import { Detector } from '../../detect/detector.ts'
import { PipelineMetrics } from '../../pipeline/metrics.ts'
import { type PipelineOutcome, runPipeline } from '../../pipeline/run.ts'
import { ScorerHandle } from '../../pipeline/scorer-handle.ts'
import { Shadow } from '../../pipeline/shadow.ts'
import { connectLeases, connectQueue, connectRegistry, connectStore, defaultStore } from '../connect.ts'
import { watchOptions } from '../files/alert-rules.ts'
import { openHttp } from '../http/open-http.ts'
import { durationMs, windowStart } from '../jobs/retrain-plan.ts'
import { loadDetector, trainJobs } from '../jobs/train-jobs.ts'
import { followChampion } from './champion.ts'
import { warmUp } from './cold-start.ts'
import { ConfigReload } from './config-reload.ts'
import { connectAlerts, connectDeadLetters, connectSinks, connectSource } from './connect-stream.ts'
import { Election } from './election.ts'
import { LoadedVersions } from './loaded-versions.ts'
import { lookOn, modelOf } from './onlookers.ts'
import { watchAge } from './staleness.ts'

/** Settings that a loaded detector has taken in. */
const SCORING = /^(alerts\.(rate|explain_per_second)|features\.redact)$/

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
  const ending = new AbortController()
  const stop = AbortSignal.any([signal, ending.signal])
  const { name } = config
  const open: AsyncDisposable[] = []
  const keep = <T extends AsyncDisposable>(part: T): T => {
    open.push(part)
    return part
  }
  const background: Promise<void>[] = []
  let reloads = () => {}
  let onOpen = () => {}
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve
    stop.addEventListener('abort', onOpen, { once: true })
  })
  try {
    const registry = keep(await connectRegistry(config.registry))
    const connected = await connectSource(config, logger)
    const source = keep(connected.source)
    const sinks = (await connectSinks(config, logger)).map(keep)
    const deadLetters = await connectDeadLetters(config, logger)
    if (deadLetters !== undefined) keep(deadLetters)
    const storeOptions = config.store ?? (config.api && defaultStore(name))
    const store = storeOptions && keep(await connectStore(storeOptions))
    const outboxes = (await connectAlerts(config, logger)).map(keep)
    const { alerts } = config
    const limits = {
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
    const handle = keep(new ScorerHandle())
    const load = (artifact: Uint8Array, version: number) => loadDetector(config, artifact, version)
    const { file } = config.model
    const artifactOf = (version: number) =>
      file === undefined ? registry.get(name, version) : onFile(file, 'read', () => readFile(file))
    const versions = keep(
      new LoadedVersions(async (version) => loadDetector(config, await artifactOf(version), version, 1)),
    )
    const metrics = new Registry()
    const shadow = keep(
      new Shadow({
        pipeline: name,
        challenger: async () => (await registry.alias(name, 'challenger'))?.version,
        load: async (version) => loadDetector(config, await registry.get(name, version), version, 1),
        logger,
        ...(store && { store }),
      }),
    )
    let warming: string | null = null

    const queue = file === undefined ? keep(await connectQueue(config)) : undefined
    const advice = queue && retrainedByEach(config)
    if (advice !== undefined) logger.warn({}, advice)
    if (file !== undefined) {
      handle.swap(await load(await artifactOf(1), 1))
    } else if (queue !== undefined) {
      await queue.open()
      const election =
        config.queue.type === 'memory'
          ? keep(new Election(await connectLeases(config.registry), name))
          : undefined
      background.push(
        followChampion(
          registry,
          name,
          handle,
          async ({ version }) => load(await artifactOf(version), version),
          stop,
          logger,
        ),
        shadow.follow(stop),
        warmUp(
          {
            pipeline: name,
            source: connected,
            queue,
            handle,
            hasChampion: async () => (await registry.alias(name, 'champion')) !== undefined,
            minimumRecords: config.retrain.min_records,
            since: () => windowStart(config),
            logger,
            ...(election && { election }),
          },
          (waiting) => {
            warming = waiting
          },
          stop,
        ),
      )
      if (config.retrain.max_age !== undefined) {
        const maxAgeMs = durationMs(config.retrain.max_age)
        background.push(watchAge({ pipeline: name, registry, queue, maxAgeMs, logger }, stop))
      }
      await queue.schedule(name, config.retrain.schedule ?? null, config.retrain.timezone)
      if (config.queue.type === 'memory') {
        const parts = { queue, registry, source: connected, ...(store && { labels: store }) }
        // A job reads labels from the store, which the pipeline opens.
        background.push(opened.then(() => trainJobs(config, parts, stop, logger)))
      }
    }

    const reasons = (): string[] => [source.unready?.() ?? null, warming].filter((reason) => reason !== null)
    const onlookers = keep(
      lookOn({
        name,
        source,
        handle,
        reasons,
        drift: { action: config.retrain.drift, debounceMs: durationMs(config.retrain.drift_debounce) },
        alerts: {
          limits,
          told(alert) {
            for (const outbox of outboxes) outbox.put(alert)
          },
        },
        logger,
        ...(queue && { queue }),
        shadow,
        ...(store && { notices: store }),
      }),
    )
    if (config.api !== undefined && store !== undefined) {
      const http = await openHttp(config.api, {
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
        ...(queue && { queue }),
        logger,
      })
      keep(http)
      logger.info({ url: http.url }, 'HTTP API')
    }

    const pipelineMetrics = new PipelineMetrics(metrics, name, source)
    pipelineMetrics.watchShadow(() => shadow.report)
    pipelineMetrics.watchModel(() => modelOf(handle.current)?.createdAt)
    if (reread !== undefined) {
      const apply = async (changed: readonly string[]) => {
        logger.level = config.log.level
        const { current } = handle
        if (changed.some((path) => SCORING.test(path)) && current instanceof Detector) {
          const again = await load(current.artifact, current.modelVersion)
          if (handle.current === current) handle.swap(again)
          else await again[Symbol.asyncDispose]()
        }
        await queue?.schedule(name, config.retrain.schedule ?? null, config.retrain.timezone)
      }
      const reload = new ConfigReload({ config, load: reread, apply, metrics, logger })
      reloads = () => void reload.request()
      process.on('SIGHUP', reloads)
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
  } finally {
    ending.abort()
    process.off('SIGHUP', reloads)
    await Promise.allSettled(background)
    for (const part of open.reverse()) {
      await Promise.resolve(part[Symbol.asyncDispose]()).catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'a part did not close cleanly'),
      )
    }
  }
}
