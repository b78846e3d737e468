import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { onFile } from './file-error.ts'

/** Bytes on their way to a destination: what was written shows after commit, and never after discard. */
export interface StagedBytes {
  write(chunks: readonly Uint8Array[]): Promise<void>
  commit(): Promise<void>
  discard(): Promise<void>
}

/** Temporary files of this process, removed even where it is told to end at once. */
const unfinished = new Set<string>()
process.on('exit', () => {
  for (const path of unfinished) rmSync(path, { force: true })
})

/**
 * A file that appears whole or not at all: written beside its destination under a temporary name, synced, renamed
 * over it, and the folder synced. A destination that is no regular file (a device, a pipe) is written in place.
 */
export class StagedFile implements StagedBytes {
  readonly path: string
  readonly #staging: string
  readonly #handle: FileHandle
  #open = true

  private constructor(path: string, staging: string, handle: FileHandle) {
    this.path = path
    this.#staging = staging
    this.#handle = handle
    if (staging !== path) unfinished.add(staging)
  }

  static async create(path: string): Promise<StagedFile> {
    return onFile(path, 'write', async () => {
      const staging = await stagingPath(path)
      return new StagedFile(path, staging, await open(staging, staging === path ? 'w' : 'wx'))
    })
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    await onFile(this.path, 'write', () => writeAll(this.#handle, chunks))
  }

  async commit(): Promise<void> {
    if (!this.#open) return
    await onFile(this.path, 'write', async () => {
      if (this.#staging === this.path) {
        await this.#close()
        return
      }
      await this.#handle.sync()
      await this.#close()
      await rename(this.#staging, this.path)
      unfinished.delete(this.#staging)
      await syncFolder(dirname(this.path))
    })
  }

  async discard(): Promise<void> {
    if (this.#open) await this.#close()
    // After a commit nothing is left; after one that failed half-way the temporary file is.
    if (!unfinished.has(this.#staging)) return
    await rm(this.#staging, { force: true })
    unfinished.delete(this.#staging)
  }

  async #close(): Promise<void> {
    this.#open = false
    await this.#handle.close()
  }
}

/** A name beside `path` that does not exist yet; `path` itself where it is a device or a pipe. */
export async function stagingPath(path: string): Promise<string> {
  const existing = await stat(path).catch(() => undefined)
  if (existing?.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
  if (existing !== undefined && !existing.isFile()) return path
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.part`)
}

/** Makes a rename in the folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  const MAX_VECTORS = 512
  for (let start = 0; start < chunks.length; start += MAX_VECTORS) {
    let rest = chunks.slice(start, start + MAX_VECTORS)
    while (rest.length > 0) {
      const { bytesWritten } = await handle.writev(rest)
      rest = dropBytes(rest, bytesWritten)
    }
  }
}

/** A vectored write may stop early: what is left of the chunks after `count` bytes. */
function dropBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  while (index < chunks.length && count >= chunks[index].byteLength) count -= chunks[index++].byteLength
  const rest = chunks.slice(index)
  if (count > 0) rest[0] = rest[0].subarray(count)
  return rest
}
