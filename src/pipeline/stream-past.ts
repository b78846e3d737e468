import { setTimeout as sleep } from 'node:timers/promises'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { Delivery, LookBack, Scorer, Source } from '../core/ports.ts'
import { type Origin, offsetOf, type RecordBatch } from '../core/record.ts'
import type { Logger } from '../core/telemetry.ts'
import { streamOf } from '../features/windows/stream-windows.ts'

export interface StreamPastParts {
  readonly source: Source
  /** Records of a partition that are read again to know the past of its next one. */
  readonly replay: number
  /** Ends a replay. */
  readonly signal: AbortSignal
  readonly logger: Logger
}

/** A broker that has just started may have no coordinator for the reading group yet. */
const ATTEMPTS = 4
const RETRY_MS = 500

interface Known {
  /** The offset that follows what is known. */
  readonly next: number
  readonly revoked: AbortSignal
}
interface Past {
  readonly lookBack: LookBack
  readonly origins: Map<string, Known>
}

/**
 * What a pipeline remembers of its streams for a model that looks back. Where a partition begins, comes again, or was
 * elsewhere meanwhile, its past is read again from the source: a redelivered record sees what it saw the first time, on
 * whichever process, as far as the replay reaches. A model that looks back on something else starts the same way. Read is
 * no more than can show: what the look-back reaches, and of a partition that comes back what others scored meanwhile.
 */
export class StreamPast {
  readonly #parts: StreamPastParts
  readonly #turns = new Map<string, Promise<unknown>>()
  #past: Past | undefined
  #scorer: Scorer | undefined
  #looksBack = false

  constructor(parts: StreamPastParts) {
    this.#parts = parts
  }

  /** The batch with what the scorer looks back on. Called in the order of the deliveries; streams do not wait for each other. */
  append(scorer: Scorer, delivery: Delivery): Promise<RecordBatch> {
    const { batch } = delivery
    const past = this.#of(scorer)
    if (past === undefined || batch.rows === 0) return Promise.resolve(batch)
    const stream = streamOf(batch)
    const turn = (this.#turns.get(stream) ?? Promise.resolve()).then(() => this.#append(past, delivery))
    this.#turns.set(stream, turn)
    return turn
  }

  /** A look-back is made once a scorer, not once a batch. */
  #of(scorer: Scorer): Past | undefined {
    if (scorer !== this.#scorer) {
      this.#scorer = scorer
      const lookBack = scorer.lookBack?.()
      this.#looksBack = lookBack !== undefined
      if (lookBack !== undefined && this.#past?.lookBack.id !== lookBack.id)
        this.#past = { lookBack, origins: new Map() }
    }
    return this.#looksBack ? this.#past : undefined
  }

  async #append({ lookBack, origins }: Past, { batch, revoked }: Delivery): Promise<RecordBatch> {
    const { origin, rows } = batch
    if (origin.topic !== undefined) {
      const known = origins.get(origin.prefix)
      const first = offsetOf(origin, 0)
      const follows = known !== undefined && first >= known.next
      if (!follows || known.revoked.aborted) {
        const { source, replay } = this.#parts
        const reach = source.before === undefined ? 0 : Math.min(replay, lookBack.reach(batch))
        const missing = follows ? first - known.next : Number.POSITIVE_INFINITY
        if (missing > reach) lookBack.forget(origin.prefix)
        await this.#replay(lookBack, origin, first, Math.min(reach, missing), reach, revoked)
      }
      // A replay that was broken off leaves a hole.
      if (revoked.aborted) origins.delete(origin.prefix)
      else origins.set(origin.prefix, { next: offsetOf(origin, rows - 1) + 1, revoked })
    }
    try {
      return lookBack.append(batch)
    } catch (error) {
      // The scorer meets the same, and says of which records.
      this.#parts.logger.warn({ origin: origin.prefix, error: messageOf(error) }, 'a batch has no look-back')
      return batch
    }
  }

  async #replay(
    lookBack: LookBack,
    { topic, partition, prefix }: Origin,
    offset: number,
    missing: number,
    reach: number,
    revoked: AbortSignal,
  ): Promise<void> {
    const { source, signal, logger } = this.#parts
    if (source.before === undefined || topic === undefined || partition === undefined || missing === 0) return
    const stop = AbortSignal.any([signal, revoked])
    let records = missing
    for (let attempt = 1; !stop.aborted; attempt++) {
      try {
        for await (const batch of source.before({ topic, partition, offset }, records, stop))
          lookBack.append(batch)
        return
      } catch (error) {
        if (stop.aborted) return
        lookBack.forget(prefix)
        records = reach
        if (attempt < ATTEMPTS && isSurprisalError(error) && error.retryable) {
          await sleep(RETRY_MS, undefined, { signal: stop }).catch(() => undefined)
          continue
        }
        logger.warn(
          { origin: prefix, error: messageOf(error) },
          'the past could not be read again: it begins here',
        )
        return
      }
    }
  }
}
