import { workerData } from 'node:worker_threads'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { FieldDensity } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import type { FieldSurprise } from '../core/scored.ts'
import type { Counterfactual } from '../detect/attribution/counterfactual.ts'
import { readArtifact } from '../detect/model-file/artifact.ts'
import { RecordScorer } from '../detect/record-scorer.ts'
import type { Outcome, ScoreWorkerData } from '../detect/threads/pool.ts'
import type { ScoredColumns } from '../detect/threads/scored-columns.ts'
import { loadKernel } from '../kernel/kernel.ts'

const [, { artifact, options }] = workerData as [unknown, ScoreWorkerData]
const scorer = new RecordScorer(readArtifact(new Uint8Array(artifact).slice()), loadKernel(), options)

/** Called by the pool for every batch. */
export function score(batch: RecordBatch): Outcome<ScoredColumns> {
  return attempt(() => scorer.score(batch))
}

/** Called by the pool with the records to attribute. */
export function explain(batch: RecordBatch): Outcome<FieldSurprise[][]> {
  return attempt(() => scorer.explain(batch))
}

/** Called by the pool with the records that need a counterfactual. */
export function nearestNormal(batch: RecordBatch): Outcome<Counterfactual[][]> {
  return attempt(() => scorer.nearestNormal(batch))
}

/** Called by the pool with a record whose fields are to be drawn. */
export function densities(batch: RecordBatch): Outcome<FieldDensity[]> {
  return attempt(() => scorer.densities(batch))
}

function attempt<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() }
  } catch (error) {
    return {
      code: isSurprisalError(error) ? error.code : 'INTERNAL',
      message: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    }
  }
}
