import { messageOf } from '../core/errors.ts'
import type { DriftReport, RetrainQueue } from '../core/ports.ts'
import type { ScoredBatch } from '../core/scored.ts'
import type { Logger } from '../core/telemetry.ts'
import { type DriftLook, DriftMonitor } from '../detect/drift/drift-monitor.ts'
import type { DriftReference } from '../detect/drift/drift-reference.ts'

export interface DriftWatchOptions {
  readonly pipeline: string
  /** retrain asks for a new model, recalibrate for new p-values of the present one; warn only tells. */
  readonly action: 'off' | 'warn' | 'recalibrate' | 'retrain'
  readonly queue?: RetrainQueue
  /** A job waits so long for further fields to drift; each that does starts the wait anew. */
  readonly debounceMs: number
  readonly logger: Logger
  onLook(report: DriftReport): void
  /** Epoch milliseconds (tests). */
  now?(): number
}

/** Drift that a job did not end is worth another one after so many waits. */
const ASK_AGAIN_AFTER = 6
const NOTHING: Asked = { fields: new Set(), at: Number.NEGATIVE_INFINITY }
interface Asked {
  readonly fields: ReadonlySet<string>
  readonly at: number
}

/** Looks at drift against the model that scored each batch; a new model is a new reference. */
export class DriftWatch {
  /** The drifted fields that the log already names. */
  private told = ''
  /** What a job was asked for on account of: drift that goes on must not put its own job off for ever. */
  private asked = NOTHING
  private monitor: { readonly version: number; readonly monitor: DriftMonitor } | undefined

  constructor(private readonly options: DriftWatchOptions) {}

  /** `reference` is that of the model which scored the batch. */
  observe(scored: ScoredBatch, reference: DriftReference): void {
    if (this.options.action === 'off') return
    if (this.monitor?.version !== scored.modelVersion) {
      this.monitor = { version: scored.modelVersion, monitor: new DriftMonitor(reference) }
      this.asked = NOTHING
    }
    const look = this.monitor.monitor.observe(scored)
    if (look !== undefined) this.act(look, scored.modelVersion)
  }

  private act(look: DriftLook, version: number): void {
    const { pipeline, action, logger, onLook } = this.options
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
    if (action !== 'warn') void this.ask(look.triggered, reason, version)
  }

  private async ask(fields: readonly string[], reason: string, champion: number): Promise<void> {
    const { pipeline, action, queue, debounceMs, logger, now = Date.now } = this.options
    const again = now() - this.asked.at >= ASK_AGAIN_AFTER * debounceMs
    if (!again && fields.every((field) => this.asked.fields.has(field))) return
    this.asked = { fields: new Set([...(again ? [] : this.asked.fields), ...fields]), at: now() }
    try {
      const request = {
        pipeline,
        trigger: 'drift',
        reason,
        who: 'drift watch',
        champion,
        debounceMs,
        ...(action === 'recalibrate' && { action }),
      } as const
      const job = await queue?.enqueue(request)
      // It may have read its window before the drift: the next look asks again.
      if (job?.state === 'active') this.asked = NOTHING
    } catch (error) {
      this.asked = NOTHING
      logger.error({ pipeline, error: messageOf(error) }, 'the retraining job was not queued')
    }
  }
}
