import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assertModelName } from '../../src/core/model-name.ts'
import type { CheckpointStore } from '../../src/core/ports.ts'
import { readIfThere, writeDurably } from './durable-file.ts'

/** Checkpoints as files of a folder that every trainer sees. */
export class FsCheckpointStore implements CheckpointStore {
  constructor(private readonly folder: string) {}

  async save(slot: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    await writeDurably(this.path(slot), bytes)
  }

  async load(slot: string): Promise<Uint8Array | undefined> {
    return readIfThere(this.path(slot))
  }

  async remove(slot: string): Promise<void> {
    await rm(this.path(slot), { force: true })
  }

  private path(slot: string): string {
    assertModelName(slot)
    return join(this.folder, `${slot}.checkpoint`)
  }
}
