import { once } from 'node:events'
import { Registry } from 'prom-client'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { SurprisalError } from '../../core/errors.ts'
import { assetPath } from '../../core/package-root.ts'
import type { ModelRegistry } from '../../core/ports.ts'
import type { Logger } from '../../core/telemetry.ts'
import type { Detector } from '../../detect/detector.ts'
import { connectQueue, connectRegistry, connectStore, defaultStore } from '../connect.ts'
import { loadDetector } from '../jobs/train-jobs.ts'
import { LoadedVersions } from '../stream/loaded-versions.ts'
import { openHttp } from './open-http.ts'

/**
 * `surprisal serve`: the API and the page over a store, a registry and a queue that other processes work with.
 * Returns after the signal. USAGE where the pipeline file has no `api:` section.
 */
export async function serveApi(config: PipelineConfig, signal: AbortSignal, logger: Logger): Promise<void> {
  if (config.api === undefined)
    throw new SurprisalError('USAGE', `${config.name} has no api: section, so there is nothing to serve`)
  await using registry = await connectRegistry(config.registry)
  await using queue = await connectQueue(config)
  await using store = await connectStore(config.store ?? defaultStore(config.name))
  await using champion = new Champion(config, registry)
  await using versions = new LoadedVersions(async (version) =>
    loadDetector(config, await registry.get(config.name, version), version, 1),
  )
  await Promise.all([queue.open(), store.open()])
  await using http = await openHttp(config.api, {
    store,
    labels: store,
    notices: store,
    registry,
    metrics: new Registry(),
    // Jobs that wait in memory wait in the scorer's process: this one would only hide them.
    ...(config.queue.type !== 'memory' && { queue }),
    scorer: async (pipeline) => (pipeline === config.name ? champion.detector() : undefined),
    densities: versions.densities(config.name),
    page: assetPath('web'),
    logger,
  })
  logger.info({ url: http.url }, 'HTTP API')
  if (!signal.aborted) await once(signal, 'abort')
}

/** The champion's detector, loaded when first asked for and again when another version is champion. */
class Champion implements AsyncDisposable {
  private loaded: { readonly version: number; readonly detector: Promise<Detector> } | undefined

  constructor(
    private readonly config: PipelineConfig,
    private readonly registry: ModelRegistry,
  ) {}

  async detector(): Promise<Detector | undefined> {
    const { name } = this.config
    const version = (await this.registry.alias(name, 'champion'))?.version
    if (version === undefined) return undefined
    if (this.loaded?.version !== version) {
      const detector = this.registry
        .get(name, version)
        .then((artifact) => loadDetector(this.config, artifact, version))
      const before = this.loaded
      this.loaded = { version, detector }
      detector.catch(() => {
        this.loaded = undefined
      })
      await before?.detector.then((old) => old[Symbol.asyncDispose]()).catch(() => {})
    }
    return this.loaded.detector
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.loaded?.detector.then((detector) => detector[Symbol.asyncDispose]()).catch(() => {})
  }
}
