import { messageOf } from '../../core/errors.ts'
import type { Logger } from '../../core/telemetry.ts'

/**
 * What a pipeline has opened and what it does beside its stream. At its end the tasks are told to stop and waited for,
 * then the parts are closed, the newest first; one that fails to close is logged and keeps none of the others open.
 */
export class Lifetime implements AsyncDisposable {
  /** Fires at the end, or with the signal that was given. */
  readonly stop: AbortSignal
  readonly #ending = new AbortController()
  readonly #parts: AsyncDisposable[] = []
  readonly #tasks: Promise<void>[] = []
  readonly #logger: Logger

  constructor(signal: AbortSignal, logger: Logger) {
    this.stop = AbortSignal.any([signal, this.#ending.signal])
    this.#logger = logger
  }

  keep<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part)
    return part
  }

  /** A task that ends by itself once `stop` fires. */
  await(task: Promise<void>): void {
    this.#tasks.push(task)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    await Promise.allSettled(this.#tasks)
    for (const part of this.#parts.reverse()) {
      await Promise.resolve(part[Symbol.asyncDispose]()).catch((error: unknown) =>
        this.#logger.warn({ error: messageOf(error) }, 'a part did not close cleanly'),
      )
    }
  }
}
