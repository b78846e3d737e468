import { setTimeout as sleep } from 'node:timers/promises'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { Logger } from '../core/telemetry.ts'

export interface Persistence {
  readonly what: string
  /** Ends the trying: the partition went away, or the pipeline stops for good. */
  readonly signal: AbortSignal
  readonly logger: Logger
  readonly onRetry?: () => void
  readonly firstMs?: number
  readonly maxMs?: number
}

/**
 * Runs `attempt` until it succeeds, waiting twice as long after each retryable failure (with jitter): an outage
 * slows the stream down and loses nothing. Anything that is not retryable is thrown.
 */
export async function persist(attempt: () => Promise<void>, options: Persistence): Promise<void> {
  const { signal, logger, what, firstMs = 100, maxMs = 10_000 } = options
  for (let wait = firstMs, tries = 1; ; wait = Math.min(wait * 2, maxMs), tries++) {
    signal.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      if (isSurprisalError(error) && !error.retryable) throw error
      options.onRetry?.()
      logger.warn({ error: messageOf(error), tries, retry_in_ms: wait }, `${what} failed, trying again`)
    }
    await sleep(wait * (0.75 + Math.random() / 2), undefined, { signal })
  }
}
