import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { fileError } from './file-error.ts'
import type { StagedBytes } from './staged-file.ts'

/** Standard output as a destination: bytes go out as they come, with back-pressure; there is nothing to take back. */
export class StandardOutput implements StagedBytes {
  readonly #stream: Writable

  constructor(stream: Writable = process.stdout) {
    this.#stream = stream
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      if (this.#stream.errored) throw fileError(this.#stream.errored, 'standard output', 'write')
      if (!this.#stream.write(chunk)) await once(this.#stream, 'drain')
    }
  }

  async commit(): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.#stream.write('', (error) =>
        error ? reject(fileError(error, 'standard output', 'write')) : resolve(),
      ),
    )
  }

  async discard(): Promise<void> {}
}
