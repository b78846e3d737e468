import type { Delivery, RejectedRecord, Source } from '../../src/core/ports.ts'
import type { RecordBatch } from '../../src/core/record.ts'

interface Entry {
  readonly batch: RecordBatch
  readonly rejected: readonly RejectedRecord[]
}

/** An append-only log with one committed position, which outlives the sources that read it. */
export class MemoryLog {
  readonly entries: Entry[] = []
  /** Entries before it are acked and not delivered again. */
  committed = 0
  #ended = false
  #waiting: (() => void)[] = []

  append(batch: RecordBatch, rejected: readonly RejectedRecord[] = []): void {
    this.entries.push({ batch, rejected })
    this.#wake()
  }

  /** No more entries will come: iterations end after the last one. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Resolves at the next append or end, or when the signal fires. */
  async change(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
      this.#waiting.push(done)
    })
  }

  #wake(): void {
    for (const done of this.#waiting.splice(0)) done()
  }
}

/** The reference source: batches of a log in order, from its committed position. */
export class MemorySource implements Source {
  readonly name = 'memory'
  readonly #log: MemoryLog
  readonly #acked = new Set<number>()
  readonly #revoked = new AbortController()

  constructor(log: MemoryLog) {
    this.#log = log
  }

  async open(): Promise<void> {}

  async *deliveries(signal: AbortSignal): AsyncGenerator<Delivery> {
    const returned: number[] = []
    let position = this.#log.committed
    while (!signal.aborted) {
      const index = returned.shift() ?? (position < this.#log.entries.length ? position++ : undefined)
      if (index !== undefined) yield this.#delivery(index, returned)
      else if (this.#log.ended) return
      else await this.#log.change(signal)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#revoked.abort()
  }

  #delivery(index: number, returned: number[]): Delivery {
    let settled = false
    const settle = (then: () => void) => {
      if (!settled && !this.#revoked.signal.aborted) then()
      settled = true
    }
    return {
      ...this.#log.entries[index],
      revoked: this.#revoked.signal,
      ack: async () => settle(() => this.#commit(index)),
      nack: async () => settle(() => returned.push(index)),
    }
  }

  #commit(index: number): void {
    this.#acked.add(index)
    while (this.#acked.delete(this.#log.committed)) this.#log.committed++
  }
}
