import { SurprisalError, throwIfAborted } from '../core/errors.ts'
import type { Scorer } from '../core/ports.ts'

/** A scorer that stays alive until it is released, whatever is swapped meanwhile. */
export interface ScorerLease {
  readonly scorer: Scorer
  release(): void
}

/** Where a pipeline gets the model that scores its next batch. */
export interface ScorerProvider {
  /** Resolves once there is a model: at once, or after the cold start. */
  ready(signal: AbortSignal): Promise<void>
  lease(): ScorerLease
}

interface Held {
  readonly scorer: Scorer
  leases: number
  retired: boolean
}

/** Holds the champion and swaps it between two batches: a batch keeps the version that it began with. */
export class ScorerHandle implements ScorerProvider, AsyncDisposable {
  private held: Held | undefined
  private readonly arrived: Promise<void>
  private announce: () => void = () => {}
  private readonly disposals = new Set<Promise<void>>()

  constructor(scorer?: Scorer) {
    this.arrived = new Promise((resolve) => {
      this.announce = resolve
    })
    if (scorer !== undefined) this.swap(scorer)
  }

  get current(): Scorer | undefined {
    return this.held?.scorer
  }

  /** The next batches are scored by `scorer`; the one before is disposed once its last batch is through. */
  swap(scorer: Scorer): void {
    const before = this.held
    this.held = { scorer, leases: 0, retired: false }
    if (before !== undefined) this.retire(before)
    this.announce()
  }

  async ready(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    let stop = () => {}
    const aborted = new Promise<void>((resolve) => {
      stop = resolve
      signal.addEventListener('abort', stop, { once: true })
    })
    await Promise.race([this.arrived, aborted])
    signal.removeEventListener('abort', stop)
    throwIfAborted(signal)
  }

  lease(): ScorerLease {
    const held = this.held
    if (held === undefined) throw new SurprisalError('INTERNAL', 'a batch came before there was a model')
    held.leases++
    let released = false
    return {
      scorer: held.scorer,
      release: () => {
        if (released) return
        released = true
        held.leases--
        if (held.retired) this.retire(held)
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { held } = this
    this.held = undefined
    if (held !== undefined) this.retire(held)
    await Promise.all(this.disposals)
  }

  private retire(held: Held): void {
    held.retired = true
    if (held.leases > 0) return
    const disposal = held.scorer[Symbol.asyncDispose]()
    const done = Promise.resolve(disposal).finally(() => this.disposals.delete(done))
    this.disposals.add(done)
  }
}
