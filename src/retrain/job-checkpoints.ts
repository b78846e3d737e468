import { deserialize, serialize } from 'node:v8'
import type { CheckpointStore } from '../core/ports.ts'
import type { FitCheckpoint } from '../detect/fit-checkpoints.ts'
import type { TrainingWindow } from './training-window.ts'

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

  async saveWindow(job: string, window: TrainingWindow): Promise<void> {
    await this.store.save(`${job}.window`, serialize(window))
  }

  async loadWindow(job: string): Promise<TrainingWindow | undefined> {
    const bytes = await this.store.load(`${job}.window`)
    return bytes && (deserialize(bytes) as TrainingWindow)
  }

  /** Returns at once; of saves that overtake each other only the latest is written. */
  save(job: string, { member, bytes }: FitCheckpoint): void {
    const slot = `${job}.${member}`
    this.pending.set(slot, bytes)
    if (!this.writing.has(slot)) this.writing.set(slot, this.write(slot))
  }

  async load(job: string): Promise<readonly FitCheckpoint[]> {
    await Promise.all(this.writing.values())
    const found: FitCheckpoint[] = []
    for (let member = 0; member < this.members; member++) {
      const bytes = await this.store.load(`${job}.${member}`)
      if (bytes !== undefined) found.push({ member, bytes })
    }
    return found
  }

  async remove(job: string): Promise<void> {
    const slots = Array.from({ length: this.members }, (_, member) => `${job}.${member}`)
    for (const slot of slots) this.pending.delete(slot)
    await Promise.all(this.writing.values())
    for (const slot of [...slots, `${job}.window`]) await this.store.remove(slot)
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
