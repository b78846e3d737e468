import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { assertModelName } from '../../src/core/model-name.ts'
import type { CheckpointStore } from '../../src/core/ports.ts'
import { readIfThere, unfinishedOf, writeDurably } from './durable-file.ts'

const FILE = /^(.+)\.checkpoint(?:\.[0-9a-f-]+\.part)?$/

/** Checkpoints as files of a folder that every trainer sees. */
export class FsCheckpointStore implements CheckpointStore {
  constructor(private readonly folder: string) {}

  async slots(): ReturnType<CheckpointStore['slots']> {
    const savedAt = new Map<string, number>()
    for (const file of await readdir(this.folder).catch(() => [])) {
      const [, slot] = FILE.exec(file) ?? []
      // Another trainer may have just removed it.
      const found = slot && (await stat(join(this.folder, file)).catch(() => undefined))
      if (found) savedAt.set(slot, Math.max(found.mtimeMs, savedAt.get(slot) ?? 0))
    }
    return [...savedAt].map(([slot, at]) => ({ slot, savedAt: at }))
  }

  async save(slot: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    await writeDurably(this.path(slot), bytes)
  }

  async load(slot: string): Promise<Uint8Array | undefined> {
    return readIfThere(this.path(slot))
  }

  /** With what a process that was killed while it saved has left unfinished. */
  async remove(slot: string): Promise<void> {
    const path = this.path(slot)
    for (const part of await unfinishedOf(path)) await rm(part, { force: true })
    await rm(path, { force: true })
  }

  private path(slot: string): string {
    assertModelName(slot)
    return join(this.folder, `${slot}.checkpoint`)
  }
}
