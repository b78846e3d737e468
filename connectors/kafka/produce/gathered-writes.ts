interface Waiting<T> {
  readonly items: readonly T[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** One write at a time: what is asked for meanwhile goes together in the next one, and succeeds or fails with it. */
export class GatheredWrites<T> {
  private readonly write: (items: readonly T[]) => Promise<void>
  private waiting: Waiting<T>[] = []
  private running = false

  constructor(write: (items: readonly T[]) => Promise<void>) {
    this.write = write
  }

  add(items: readonly T[]): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      this.waiting.push({ items, resolve, reject })
    })
    if (!this.running) void this.run()
    return written
  }

  private async run(): Promise<void> {
    this.running = true
    while (this.waiting.length > 0) {
      const together = this.waiting
      this.waiting = []
      try {
        await this.write(together.flatMap(({ items }) => items))
        for (const { resolve } of together) resolve()
      } catch (error) {
        for (const { reject } of together) reject(error)
      }
    }
    this.running = false
  }
}
