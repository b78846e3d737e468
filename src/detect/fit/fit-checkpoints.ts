export interface FitCheckpoint {
  /** Counts every flow that a fit trains: of all folds and of the fit after trimming, in their order. */
  readonly member: number
  readonly bytes: Uint8Array
}

/** Where a fit leaves what it has reached, and what an earlier run of the same fit left there. */
export interface FitCheckpoints {
  readonly resume: readonly FitCheckpoint[]
  save(checkpoint: FitCheckpoint): void
}

const SAVE_EVERY_MS = 1000

/** Checkpoints of the flows that are trained together, under numbers that are unique over the whole fit. */
export interface RoundCheckpoints {
  resume(member: number): Uint8Array | undefined
  save(member: number, bytes: Uint8Array): void
  /** Saves what was held back. */
  flush(): void
}

/**
 * Numbers flows in the order in which rounds of training begin, which data, options and seed decide: the same fit
 * gives the same numbers. A flow's checkpoint is saved once a second at most, and its last one always.
 */
export class NumberedCheckpoints {
  readonly #resume: ReadonlyMap<number, Uint8Array>
  #next = 0

  constructor(
    private readonly checkpoints: FitCheckpoints,
    private readonly now: () => number = performance.now.bind(performance),
  ) {
    this.#resume = new Map(checkpoints.resume.map(({ member, bytes }) => [member, bytes]))
  }

  round(members: number): RoundCheckpoints {
    const first = this.#next
    this.#next += members
    const savedAt = new Map<number, number>()
    const held = new Map<number, Uint8Array>()
    const save = (member: number, bytes: Uint8Array): void => {
      held.delete(member)
      savedAt.set(member, this.now())
      this.checkpoints.save({ member: first + member, bytes })
    }
    return {
      resume: (member) => this.#resume.get(first + member),
      save: (member, bytes) => {
        const at = savedAt.get(member)
        if (at === undefined || this.now() - at >= SAVE_EVERY_MS) save(member, bytes)
        else held.set(member, bytes)
      },
      flush: () => {
        for (const [member, bytes] of held) save(member, bytes)
      },
    }
  }
}
