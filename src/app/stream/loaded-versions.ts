import type { RecordDensities } from '../../core/ports.ts'
import type { ScoredRecord } from '../../core/scored.ts'
import type { Detector } from '../../detect/detector.ts'

interface Loaded {
  readonly detector: Promise<Detector>
  users: number
  /** No longer kept: the last user closes it. */
  dropped: boolean
}

const KEPT = 3

/** Model versions that are asked now and then, loaded at first use; the last few are kept. */
export class LoadedVersions implements AsyncDisposable {
  readonly #load: (version: number) => Promise<Detector>
  /** Least recently used first. */
  readonly #loaded = new Map<number, Loaded>()

  constructor(load: (version: number) => Promise<Detector>) {
    this.#load = load
  }

  /** Works with a version, which stays open until the work is done. */
  async use<T>(version: number, work: (detector: Detector) => Promise<T>): Promise<T> {
    const found = this.#loaded.get(version) ?? {
      detector: this.#load(version),
      users: 0,
      dropped: false,
    }
    this.#loaded.delete(version)
    this.#loaded.set(version, found)
    found.users++
    try {
      return await work(await found.detector)
    } catch (error) {
      await found.detector.catch(() => this.#loaded.delete(version))
      throw error
    } finally {
      found.users--
      if (found.dropped) await closeUnused(found)
      for (const oldest of [...this.#loaded.keys()].slice(0, -KEPT)) await this.#drop(oldest)
    }
  }

  /** Asks the version that scored a record of this pipeline; of other pipelines nothing is at hand. */
  densities(pipeline: string): (record: ScoredRecord) => Promise<RecordDensities | undefined> {
    return async (record) =>
      record.pipeline === pipeline
        ? this.use(record.model_version, (detector) => detector.densities(record))
        : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const version of [...this.#loaded.keys()]) await this.#drop(version)
  }

  async #drop(version: number): Promise<void> {
    const loaded = this.#loaded.get(version)
    this.#loaded.delete(version)
    if (loaded === undefined) return
    loaded.dropped = true
    await closeUnused(loaded)
  }
}

async function closeUnused({ users, detector }: Loaded): Promise<void> {
  if (users > 0) return
  const open = await detector.catch(() => undefined)
  await open?.[Symbol.asyncDispose]()
}
