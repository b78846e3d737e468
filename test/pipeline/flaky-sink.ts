import { setTimeout as sleep } from 'node:timers/promises'
import type { Sink } from '../../src/core/ports.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'

/** Fails its first writes; remembers the order of what it took. */
export class FlakySink implements Sink {
  readonly name = 'flaky'
  readonly idempotent = false
  readonly durableAt
  readonly ids: string[] = []
  flushed = 0
  private failures: number
  private readonly error: () => Error

  constructor(
    failures: number,
    error = () => new Error('down') as Error,
    durableAt: Sink['durableAt'] = 'write',
  ) {
    this.failures = failures
    this.error = error
    this.durableAt = durableAt
  }
  async open(): Promise<void> {}
  async write({ batch }: ScoredBatch): Promise<void> {
    await sleep(1)
    if (this.failures-- > 0) throw this.error()
    const { offsets } = batch.origin
    this.ids.push(`${batch.origin.prefix}:${'first' in offsets ? offsets.first : offsets[0]}`)
  }
  async flush(): Promise<void> {
    this.flushed = this.ids.length
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}
