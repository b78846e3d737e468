import type { Sink } from '../../src/core/ports.ts'
import type { ScoredBatch, ScoredRecord } from '../../src/core/scored.ts'
import { scoredRecords } from '../../src/core/scored-record.ts'

/** The reference sink: the wire record of each scored record under its pipeline, run and id; the first write wins. */
export class MemorySink implements Sink {
  readonly name = 'memory'
  readonly idempotent = true
  readonly durableAt = 'write'
  readonly #records = new Map<string, ScoredRecord>()

  get records(): readonly ScoredRecord[] {
    return [...this.#records.values()]
  }

  async open(): Promise<void> {}

  async write(scored: ScoredBatch): Promise<void> {
    for (const record of scoredRecords(scored)) {
      const key = JSON.stringify([record.pipeline, record.run_id ?? null, record.id])
      if (!this.#records.has(key)) this.#records.set(key, record)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
