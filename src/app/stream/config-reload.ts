import { Counter, Gauge, type Registry } from 'prom-client'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { messageOf } from '../../core/errors.ts'
import type { Logger } from '../../core/telemetry.ts'
import { type Change, changesBetween, setAt } from './config-changes.ts'

/** Settings that are read when they are needed, so that a new value can take the place of the old one. */
const LIVE = [
  /^alerts\./,
  /^errors\./,
  /^features\.redact$/,
  /^flow_control\.(in_flight|drain_ms)$/,
  /^log\.level$/,
  /^retrain\.(schedule|timezone|window|min_records|promote|exclude_anomalies)$/,
  /^sinks\.\d+\.queue$/,
]

export interface ConfigReloadParts {
  /** What runs by it; a reload writes the new values of its live settings into it. */
  readonly config: PipelineConfig
  /** Reads the pipeline file again; throws where it is invalid. */
  load(): Promise<PipelineConfig>
  /** Brings what was made from a setting in line with it. */
  apply(changed: readonly string[]): Promise<void>
  readonly metrics: Registry
  readonly logger: Logger
}

/** A pipeline file that is read again while the pipeline runs: all of it is valid, or the old one stays. */
export class ConfigReload {
  private readonly parts: ConfigReloadParts
  private readonly reloads
  private readonly successful
  private last: Promise<void> = Promise.resolve()

  constructor(parts: ConfigReloadParts) {
    this.parts = parts
    const registers = [parts.metrics]
    this.reloads = new Counter({
      name: 'surprisal_config_reloads_total',
      help: 'Reloads of the pipeline file by result.',
      registers,
      labelNames: ['pipeline', 'result'] as const,
    })
    this.successful = new Gauge({
      name: 'surprisal_config_last_reload_successful',
      help: '1 where the last reload of the pipeline file was applied, 0 where the file before it stays.',
      registers,
      labelNames: ['pipeline'] as const,
    })
    this.successful.set({ pipeline: parts.config.name }, 1)
  }

  /** Reloads one after the other; never rejects. */
  request(): Promise<void> {
    this.last = this.last.then(() => this.reload())
    return this.last
  }

  private async reload(): Promise<void> {
    const { config, logger } = this.parts
    try {
      const changes = changesBetween(config, await this.parts.load())
      const [live, frozen] = [changes.filter(isLive), changes.filter((change) => !isLive(change))]
      for (const { path, value } of live) setAt(config, path, value)
      const applied = live.map(({ path }) => path)
      await this.parts.apply(applied)
      logger.info({ applied }, 'configuration reloaded')
      if (frozen.length > 0) {
        const waiting = frozen.map(({ path }) => path)
        logger.warn({ waiting }, `a restart is needed for: ${waiting.join(', ')}`)
      }
      this.note('applied')
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'configuration not reloaded: the one before stays')
      this.note('refused')
    }
  }

  private note(result: 'applied' | 'refused'): void {
    const pipeline = this.parts.config.name
    this.reloads.inc({ pipeline, result })
    this.successful.set({ pipeline }, result === 'applied' ? 1 : 0)
  }
}

function isLive({ path }: Change): boolean {
  return LIVE.some((pattern) => pattern.test(path))
}
