import { fileURLToPath } from 'node:url'
import Tinypool from 'tinypool'
import { type ErrorCode, SurprisalError } from '../../core/errors.ts'
import { entryUrl } from '../../core/package-root.ts'
import type { FieldDensity } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { FieldSurprise } from '../../core/scored.ts'
import type { Counterfactual } from '../attribution/counterfactual.ts'
import type { RecordScorerOptions } from '../record-scorer.ts'
import type { ScoredColumns } from './scored-columns.ts'
import { buffersOf } from './wire.ts'

/** What every scoring thread is born with. The artifact is in memory that all of them share. */
export interface ScoreWorkerData {
  readonly artifact: SharedArrayBuffer
  readonly options: RecordScorerOptions
}
/** A SurprisalError would lose its code on the way between threads. */
export type Outcome<T> =
  | { readonly value: T }
  | { readonly code: ErrorCode; readonly message: string; readonly stack: string | undefined }

/** Threads that each hold the whole detector and score whole batches. */
export class ScorePool implements AsyncDisposable {
  readonly #pool: Tinypool

  constructor(artifact: Uint8Array, options: RecordScorerOptions, threads: number) {
    const shared = new SharedArrayBuffer(artifact.byteLength)
    new Uint8Array(shared).set(artifact)
    const workerData: ScoreWorkerData = { artifact: shared, options }
    this.#pool = new Tinypool({
      filename: fileURLToPath(entryUrl('score-worker')),
      minThreads: threads,
      maxThreads: threads,
      isolateWorkers: false,
      workerData,
    })
  }

  /** Takes the buffers of the batch away from the calling thread. */
  score(batch: RecordBatch): Promise<ScoredColumns> {
    return this.#run('score', batch)
  }

  explain(batch: RecordBatch): Promise<FieldSurprise[][]> {
    return this.#run('explain', batch)
  }

  nearestNormal(batch: RecordBatch): Promise<Counterfactual[][]> {
    return this.#run('nearestNormal', batch)
  }

  densities(batch: RecordBatch): Promise<FieldDensity[]> {
    return this.#run('densities', batch)
  }

  async #run<T>(name: 'score' | 'explain' | 'nearestNormal' | 'densities', batch: RecordBatch): Promise<T> {
    const outcome: Outcome<T> = await this.#pool.run(batch, { name, transferList: buffersOf(batch) })
    if ('value' in outcome) return outcome.value
    const cause = new Error(outcome.message)
    cause.stack = outcome.stack
    throw new SurprisalError(outcome.code, outcome.message, { cause })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}
