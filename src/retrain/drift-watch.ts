import { messageOf } from '../core/errors.ts'
import type { DriftReport, RetrainQueue } from '../core/ports.ts'
import type { ScoredBatch } from '../core/scored.ts'
import type { Logger } from '../core/telemetry.ts'
import { type DriftLook, DriftMonitor } from '../detect/drift-monitor.ts'
import type { DriftReference } from '../detect/drift-reference.ts'

export interface DriftWatchOptions {
  readonly pipeline: string
  /** retrain asks for a new model; warn only tells. */
  readonly action: 'off' | 'warn' | 'retrain'
  readonly queue?: RetrainQueue
  /** Further triggers within this time replace the first and put the job off. */
  readonly debounceMs: number
  readonly logger: Logger
  onLook(report: DriftReport): void
}

/** Looks at drift against the model that scored each batch; a new model is a new reference. */
export class DriftWatch {
  /** The drifted fields that the log already names. */
  private told = ''
  private monitor: { readonly version: number; readonly monitor: DriftMonitor } | undefined

  constructor(private readonly options: DriftWatchOptions) {}

  /** `reference` is that of the model which scored the batch. */
  observe(scored: ScoredBatch, reference: DriftReference): void {
    if (this.options.action === 'off') return
    if (this.monitor?.version !== scored.modelVersion)
      this.monitor = { version: scored.modelVersion, monitor: new DriftMonitor(reference) }
    const look = this.monitor.monitor.observe(scored)
    if (look !== undefined) this.act(look)
  }

  private act(look: DriftLook): void {
    const { pipeline, action, queue, debounceMs, logger, onLook } = this.options
    const iso = (time: number): string => new Date(time).toISOString()
    onLook({ ...look, from: iso(look.from), to: iso(look.to) })
    if (look.triggered.length === 0) {
      this.told = ''
      return
    }
    const effects = new Map(look.fields.map(({ field, effect }) => [field, effect]))
    const named = look.triggered.map(
      (field) => `${field} (stability index ${effects.get(field)?.toFixed(2)})`,
    )
    const reason = `drifted: ${named.join(', ')}`
    const fields = [...look.triggered].sort().join(', ')
    if (fields !== this.told) logger.warn({ pipeline, fields: look.triggered }, reason)
    this.told = fields
    if (action !== 'retrain') return
    queue
      ?.enqueue({ pipeline, trigger: 'drift', reason, who: 'drift watch', debounceMs })
      .catch((error: unknown) =>
        logger.error({ pipeline, error: messageOf(error) }, 'the retraining job was not queued'),
      )
  }
}
