import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch } from 'kafkajs'

/** Partitions of one fetch that can rest at the same time; those beyond follow when the first have rested. */
export const RESTING = 64

/**
 * Keeps fetches apart that brought all there was: the next is asked `everyMs` after the one before. A fetch, its slices,
 * their requests and their commit cost processor time of their own, whatever they carry. A stream that asks again at
 * once spends all there is on them at any load, and then each step waits for the others.
 */
export class FetchPace {
  private readonly everyMs: number
  private asked = 0

  constructor(everyMs: number) {
    this.everyMs = everyMs
  }

  /** A fetch is asked. */
  begin(): void {
    this.asked = performance.now()
  }

  /** Resolves when the fetch after this batch is due: at once where its partition holds more. */
  async rest(batch: Pick<Batch, 'highWatermark' | 'lastOffset'>): Promise<void> {
    if (Number(batch.lastOffset()) + 1 < Number(batch.highWatermark)) return
    const left = this.asked + this.everyMs - performance.now()
    if (left > 0) await sleep(left)
  }
}
