import { deserialize, serialize } from 'node:v8'
import type { CheckpointStore, JobState, RetrainJob } from '../core/ports.ts'
import type { FitCheckpoint } from '../detect/fit/fit-checkpoints.ts'
import type { TrainingWindow } from './training-window.ts'

/** Ids alone come again on a Redis that lost its data. */
export type CheckpointedJob = Pick<RetrainJob, 'id' | 'created_at'>

const OPEN: ReadonlySet<JobState> = new Set(['waiting', 'delayed', 'active'])
/** Files of a job that the queue does not know are another queue's, or what is left of a Redis that lost its data. */
const FORGOTTEN_MS = 86_400_000
const SLOT = /^(.+)\.(\d+)\.(?:window|\d+)$/

/**
 * What an attempt leaves for the next one: the window it learned from (another window would be another fit) and the
 * latest checkpoint of every ensemble member, one slot each, so that a save rewrites little.
 */
export class JobCheckpoints {
  private readonly pending = new Map<string, Uint8Array>()
  private readonly writing = new Map<string, Promise<void>>()

  constructor(
    private readonly store: CheckpointStore,
    /** Five folds and a final fit of a few flows each, all of them twice where they are trimmed. */
    private readonly members = 48,
  ) {}

  async saveWindow(job: CheckpointedJob, window: TrainingWindow): Promise<void> {
    await this.store.save(`${nameOf(job)}.window`, serialize(window))
  }

  async loadWindow(job: CheckpointedJob): Promise<TrainingWindow | undefined> {
    const bytes = await this.store.load(`${nameOf(job)}.window`)
    return bytes && (deserialize(bytes) as TrainingWindow)
  }

  /** Returns at once; of saves that overtake each other only the latest is written. */
  save(job: CheckpointedJob, { member, bytes }: FitCheckpoint): void {
    const slot = `${nameOf(job)}.${member}`
    this.pending.set(slot, bytes)
    if (!this.writing.has(slot)) this.writing.set(slot, this.write(slot))
  }

  async load(job: CheckpointedJob): Promise<readonly FitCheckpoint[]> {
    await Promise.all(this.writing.values())
    const found: FitCheckpoint[] = []
    for (let member = 0; member < this.members; member++) {
      const bytes = await this.store.load(`${nameOf(job)}.${member}`)
      if (bytes !== undefined) found.push({ member, bytes })
    }
    return found
  }

  async remove(job: CheckpointedJob): Promise<void> {
    const slots = Array.from({ length: this.members }, (_, member) => `${nameOf(job)}.${member}`)
    for (const slot of slots) this.pending.delete(slot)
    await Promise.all(this.writing.values())
    for (const slot of [...slots, `${nameOf(job)}.window`]) await this.store.remove(slot)
  }

  /**
   * Removes what killed trainers left: slots of jobs that have ended and, after a day, of those that nobody knows.
   * Returns how many.
   */
  async sweep(jobOf: (id: string) => Promise<RetrainJob | undefined>, now = Date.now()): Promise<number> {
    let removed = 0
    const jobs = new Map<string, Promise<RetrainJob | undefined>>()
    for (const { slot, savedAt } of await this.store.slots()) {
      const [, id, created] = SLOT.exec(slot) ?? []
      if (id !== undefined && !jobs.has(id)) jobs.set(id, jobOf(id))
      const job = id === undefined ? undefined : await jobs.get(id)
      const known = job !== undefined && Date.parse(job.created_at) === Number(created)
      if (known ? OPEN.has(job.state) : now - savedAt < FORGOTTEN_MS) continue
      await this.store.remove(slot)
      removed++
    }
    return removed
  }

  private async write(slot: string): Promise<void> {
    for (;;) {
      const bytes = this.pending.get(slot)
      this.pending.delete(slot)
      if (bytes === undefined) break
      // A checkpoint that cannot be saved costs time after a crash, never the fit.
      await this.store.save(slot, bytes).catch(() => {})
    }
    this.writing.delete(slot)
  }
}

function nameOf({ id, created_at }: CheckpointedJob): string {
  return `${id}.${Date.parse(created_at)}`
}
