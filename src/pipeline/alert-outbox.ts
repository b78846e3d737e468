import { messageOf } from '../core/errors.ts'
import type { Alert, AlertChannel } from '../core/ports.ts'
import type { Logger } from '../core/telemetry.ts'
import { persist } from './persist.ts'

const TOGETHER = 50

/**
 * Alerts on their way to a channel, beside the stream: a receiver that is down holds up no record. Tried again with
 * backoff, in order; of more waiting alerts than `limits.queue` the oldest are dropped, which is logged.
 */
export class AlertOutbox implements AsyncDisposable {
  private readonly channel: AlertChannel
  private readonly limits: { readonly queue: number }
  private readonly logger: Logger
  private readonly ending = new AbortController()
  private waiting: Alert[] = []
  private sending: Promise<void> | undefined
  dropped = 0

  constructor(channel: AlertChannel, limits: { readonly queue: number }, logger: Logger) {
    this.channel = channel
    this.limits = limits
    this.logger = logger
  }

  put(alert: Alert): void {
    // A newer state of the same alert says all that the older one did.
    this.waiting = this.waiting.filter(({ id }) => id !== alert.id)
    this.waiting.push(alert)
    while (this.waiting.length > this.limits.queue) {
      this.waiting.shift()
      this.dropped++
      this.logger.error({ dropped: this.dropped, channel: this.channel.name }, 'an alert was dropped')
    }
    this.sending ??= this.drain().finally(() => {
      this.sending = undefined
    })
  }

  /** Sends what waits, for a few seconds at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    const deadline = setTimeout(() => this.ending.abort(), 5_000)
    await this.sending
    clearTimeout(deadline)
    await this.channel[Symbol.asyncDispose]()
  }

  private async drain(): Promise<void> {
    const { signal } = this.ending
    while (this.waiting.length > 0 && !signal.aborted) {
      const batch = this.waiting.splice(0, TOGETHER)
      try {
        await persist(() => this.channel.send(batch), {
          what: this.channel.name,
          signal,
          logger: this.logger,
          firstMs: 500,
          maxMs: 60_000,
        })
      } catch (error) {
        const fields = { error: messageOf(error), alerts: batch.map(({ summary }) => summary) }
        this.logger.error(fields, 'alerts were not delivered')
      }
    }
  }
}
