import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../src/core/errors.ts'
import type { Logger } from '../../../src/core/telemetry.ts'
import { isRetriable } from '../errors.ts'

/** A broker that died is missed after its session (9 s by default), and its partitions have other leaders soon after. */
const PATIENCE_MS = 60_000
const LONGEST_PAUSE_MS = 2000

export interface Patience {
  /** The first pause; each is twice the one before. */
  readonly pauseMs: number
  readonly signal: AbortSignal
  readonly logger: Logger
  /** What cannot be done now, for the log. */
  readonly waiting: object
  /** Errors that waiting does not mend, of those that Kafka calls passing. */
  readonly hopeless?: (error: unknown) => boolean
  /** Before each further attempt. */
  readonly again?: () => Promise<void>
}

/** What a Kafka cluster may refuse while partitions change their leaders: tried again for a minute. */
export async function patiently<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const { signal, logger, waiting, hopeless, again } = patience
  const end = Date.now() + PATIENCE_MS
  for (let pause = patience.pauseMs; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() + pause > end || !isRetriable(error) || hopeless?.(error)) throw error
      logger.warn(
        { ...waiting, error: messageOf(error), retry_in_ms: pause },
        'Kafka does not serve this now',
      )
    }
    await sleep(pause, undefined, { signal })
    await again?.()
  }
}
