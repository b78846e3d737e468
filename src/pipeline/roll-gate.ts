import type { Sink } from '../core/ports.ts'

/**
 * Acknowledgements that wait for sinks which are durable only once they roll: held in order, let go together after
 * a flush, every `everyMs` or when `maxHeld` batches wait.
 */
export class RollGate {
  private readonly sinks: readonly Sink[]
  private readonly maxHeld: number
  private readonly timer: NodeJS.Timeout | undefined
  private readonly onError: (error: unknown) => void
  private held: (() => Promise<void>)[] = []
  private rolling: Promise<void> = Promise.resolve()

  constructor(sinks: readonly Sink[], everyMs: number, maxHeld: number, onError: (error: unknown) => void) {
    this.sinks = sinks.filter(({ durableAt }) => durableAt === 'roll')
    this.maxHeld = maxHeld
    this.onError = onError
    if (this.sinks.length > 0) this.timer = setInterval(() => this.roll().catch(onError), everyMs)
    this.timer?.unref()
  }

  /** Acknowledges at once where no sink rolls, else after the next roll. */
  async settle(acknowledge: () => Promise<void>): Promise<void> {
    if (this.sinks.length === 0) return acknowledge()
    this.held.push(acknowledge)
    if (this.held.length >= this.maxHeld) await this.roll().catch(this.onError)
  }

  /** Rolls every sink and lets go what was held before. */
  roll(): Promise<void> {
    this.rolling = this.rolling.then(async () => {
      const { held } = this
      if (held.length === 0) return
      this.held = []
      await Promise.all(this.sinks.map((sink) => sink.flush?.()))
      for (const acknowledge of held) await acknowledge()
    })
    return this.rolling
  }

  close(): void {
    clearInterval(this.timer)
  }
}
