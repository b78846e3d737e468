import { fileURLToPath } from 'node:url'
import Tinypool from 'tinypool'
import { writeArrowBody } from '../../../connectors/arrow/posted.ts'
import { SurprisalError } from '../../core/errors.ts'
import { entryUrl } from '../../core/package-root.ts'
import type { ArrowBodies } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { ScoredBatch } from '../../core/scored.ts'
import type { Outcome } from '../../detect/threads/pool.ts'

const SECONDS = 10
const MEGABYTES = 256

/**
 * Posted Arrow, read in a thread with bounded time and memory: a few damaged bytes can send a reader of the format
 * into building billions of things, which must not take the server with it.
 */
export class ThreadedArrow implements ArrowBodies, AsyncDisposable {
  readonly #pool = new Tinypool({
    filename: fileURLToPath(entryUrl('arrow-reader')),
    minThreads: 0,
    maxThreads: 2,
    idleTimeout: 60_000,
    isolateWorkers: false,
    resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
  })

  async read(bytes: Uint8Array): Promise<readonly RecordBatch[]> {
    const outcome = await this.#run(bytes.slice())
    if ('value' in outcome) return outcome.value
    throw new SurprisalError(outcome.code, outcome.message)
  }

  write(scored: readonly ScoredBatch[]): Uint8Array {
    return writeArrowBody(scored)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }

  async #run(bytes: Uint8Array): Promise<Outcome<readonly RecordBatch[]>> {
    try {
      return await this.#pool.run(bytes, { signal: AbortSignal.timeout(SECONDS * 1000) })
    } catch (cause) {
      const message =
        `the body cannot be read as Arrow within ${SECONDS} s and ${MEGABYTES} MB: ` +
        'it is damaged, or it should be posted in parts'
      throw new SurprisalError('FILE_FORMAT', message, { cause })
    }
  }
}
