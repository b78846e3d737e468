import type { KafkaMessage } from 'kafkajs'

export interface Arrival {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly KafkaMessage[]
  /** The offset after the fetch that brought them. */
  readonly next: number
}

const MAX_WAITING = 4

/** Batches on their way from the client's callback to the reader. */
export class Arrivals {
  private waiting: Arrival[] = []
  private failure: unknown
  private closed = false
  private changed = deferred()

  get full(): boolean {
    return !this.closed && this.failure === undefined && this.waiting.length >= MAX_WAITING
  }
  push(arrival: Arrival): void {
    this.waiting.push(arrival)
    this.change()
  }
  fail(error: unknown): void {
    this.failure ??= error
    this.change()
  }
  close(): void {
    this.closed = true
    this.change()
  }
  async next(): Promise<Arrival> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure
      const arrival = this.waiting.shift()
      if (arrival !== undefined) {
        this.change()
        return arrival
      }
      await this.changed.promise
    }
  }
  /** Resolves at the next change, or after a while. */
  async room(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds)
    })
    await Promise.race([this.changed.promise, late])
    clearTimeout(timer)
  }
  private change(): void {
    const { resolve } = this.changed
    this.changed = deferred()
    resolve()
  }
}

interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

function deferred(): Deferred {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
