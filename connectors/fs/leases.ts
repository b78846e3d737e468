import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { lock } from 'proper-lockfile'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import { assertModelName } from '../../src/core/model-name.ts'
import type { Lease, Leases } from '../../src/core/ports.ts'

/** Lock folders in a folder that every host sees; one goes stale when its holder has not touched it for `staleMs`. */
export class FsLeases implements Leases {
  private readonly folder: string
  private readonly staleMs: number

  constructor(folder: string, staleMs = 15_000) {
    this.folder = folder
    this.staleMs = staleMs
  }

  async take(name: string): Promise<Lease | undefined> {
    assertModelName(name)
    let lost = false
    try {
      await mkdir(this.folder, { recursive: true })
      const release = await lock(join(this.folder, name), {
        realpath: false,
        stale: this.staleMs,
        update: this.staleMs / 3,
        onCompromised: () => {
          lost = true
        },
      })
      return {
        get lost() {
          return lost
        },
        async [Symbol.asyncDispose]() {
          await release().catch(() => undefined)
        },
      }
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ELOCKED') return undefined
      const what = `cannot take a lease in ${this.folder}: ${messageOf(cause)}`
      throw new SurprisalError('FILE_UNREADABLE', what, { cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
