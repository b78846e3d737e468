import { messageOf, SurprisalError } from '../core/errors.ts'
import type { Sink } from '../core/ports.ts'

/**
 * Acknowledgements that wait for sinks which are durable only once they roll: held in order, let go together after
 * a flush, every `everyMs` or when `maxHeld` batches wait. A rolling sink that fails may have dropped what it had
 * taken before, so its failure is final: nothing held is acknowledged, and all of it comes again after a restart.
 */
export class RollGate {
  private readonly sinks: readonly Sink[]
  private readonly maxHeld: number
  private readonly timer: NodeJS.Timeout | undefined
  private held: (() => Promise<void>)[] = []
  private last: Promise<unknown> = Promise.resolve()
  private failure: SurprisalError | undefined

  constructor(sinks: readonly Sink[], everyMs: number, maxHeld: number, onError: (error: unknown) => void) {
    this.sinks = sinks.filter(({ durableAt }) => durableAt === 'roll')
    this.maxHeld = maxHeld
    if (this.sinks.length > 0) this.timer = setInterval(() => this.roll().catch(onError), everyMs)
    this.timer?.unref()
  }

  /** Writes to a rolling sink, never while it rolls. */
  write(sink: Sink, attempt: () => Promise<void>): Promise<void> {
    return this.alone(async () => {
      try {
        await attempt()
      } catch (cause) {
        this.failure = failed(sink.name, cause)
        throw this.failure
      }
    })
  }

  /** Acknowledges at once where no sink rolls, else after the next roll. */
  async settle(acknowledge: () => Promise<void>): Promise<void> {
    if (this.sinks.length === 0) return acknowledge()
    this.held.push(acknowledge)
    if (this.held.length >= this.maxHeld) await this.roll()
  }

  /** Rolls every sink and lets go what was held before. */
  roll(): Promise<void> {
    return this.alone(async () => {
      const { held } = this
      if (held.length === 0) return
      this.held = []
      for (const sink of this.sinks) {
        try {
          await sink.flush?.()
        } catch (cause) {
          this.failure = failed(sink.name, cause)
          throw this.failure
        }
      }
      for (const acknowledge of held) await acknowledge()
    })
  }

  close(): void {
    clearInterval(this.timer)
  }

  private alone(action: () => Promise<void>): Promise<void> {
    const run = this.last.then(async () => {
      if (this.failure !== undefined) throw this.failure
      await action()
    })
    this.last = run.catch(() => undefined)
    return run
  }
}

function failed(sink: string, cause: unknown): SurprisalError {
  const what = `${sink}: ${messageOf(cause)}; what it had not rolled yet is scored again after a restart`
  return new SurprisalError('SINK_FAILED', what, { cause, retryable: false })
}
