import { basename, dirname, extname, join } from 'node:path'
import type { Sink } from '../../src/core/ports.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { type StagedBytes, StagedFile } from './staged-file.ts'

/** Turns scored batches into the bytes of one format. One encoder makes one file. */
export interface ScoredEncoder {
  begin(): readonly Uint8Array[]
  encode(scored: ScoredBatch): readonly Uint8Array[]
  end(): readonly Uint8Array[]
}

export interface FileSinkOptions {
  /** Where part n (from 1) goes. */
  readonly part: (n: number) => string
  readonly encoder: () => ScoredEncoder
  readonly stage?: (path: string) => Promise<StagedBytes>
}

/**
 * Scored records in a file that appears whole, at flush or dispose, or not at all. A write after a flush begins the
 * next part. Memory is bounded by a batch. Throws FILE_NOT_FOUND, FILE_UNREADABLE, DISK_FULL; a failed write drops
 * the part it was in.
 */
export class FileSink implements Sink {
  readonly name = 'file'
  readonly idempotent = false
  readonly durableAt = 'roll'
  readonly #options: FileSinkOptions
  #staged: StagedBytes | undefined
  #encoder: ScoredEncoder | undefined
  #parts = 0

  constructor(options: FileSinkOptions) {
    this.#options = options
  }

  /** Begins the first part, so that a destination that cannot be written is known before anything is scored. */
  async open(): Promise<void> {
    await this.#begin()
  }

  async write(scored: ScoredBatch): Promise<void> {
    const { staged, encoder } = await this.#begin()
    try {
      await staged.write(encoder.encode(scored))
    } catch (error) {
      await this.discard()
      throw error
    }
  }

  async flush(): Promise<void> {
    const staged = this.#staged
    if (staged === undefined || this.#encoder === undefined) return
    try {
      await staged.write(this.#encoder.end())
      await staged.commit()
    } catch (error) {
      await this.discard()
      throw error
    }
    this.#staged = undefined
    this.#encoder = undefined
  }

  /** Forgets the part in progress: no file appears. */
  async discard(): Promise<void> {
    const staged = this.#staged
    this.#staged = undefined
    this.#encoder = undefined
    await staged?.discard()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }

  async #begin(): Promise<{ staged: StagedBytes; encoder: ScoredEncoder }> {
    if (this.#staged === undefined || this.#encoder === undefined) {
      const path = this.#options.part(this.#parts + 1)
      const staged = await (this.#options.stage ?? StagedFile.create)(path)
      this.#staged = staged
      this.#encoder = this.#options.encoder()
      this.#parts++
      try {
        await staged.write(this.#encoder.begin())
      } catch (error) {
        await this.discard()
        throw error
      }
    }
    return { staged: this.#staged, encoder: this.#encoder }
  }
}

/** `scores.arrow`, then `scores.2.arrow`, `scores.3.arrow` … */
export function numberedParts(path: string): (n: number) => string {
  const extension = extname(path)
  const stem = basename(path, extension)
  return (n) => (n === 1 ? path : join(dirname(path), `${stem}.${n}${extension}`))
}
