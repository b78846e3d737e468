import type { FieldDensity } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { FieldSurprise } from '../../core/scored.ts'
import type { ColumnState } from '../../features/encoder-state.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import type { Counterfactual } from '../attribution/counterfactual.ts'
import type { Model } from '../model-file/artifact.ts'
import { RecordScorer, type RecordScorerOptions } from '../record-scorer.ts'
import { ScorePool } from './pool.ts'
import type { ScoredColumns } from './scored-columns.ts'
import { wireBatch } from './wire.ts'

/** Where the work is done: in this thread or in a pool. */
export interface Executor {
  score(batch: RecordBatch): Promise<ScoredColumns>
  explain(batch: RecordBatch): Promise<FieldSurprise[][]>
  nearestNormal(batch: RecordBatch): Promise<Counterfactual[][]>
  densities(batch: RecordBatch): Promise<FieldDensity[]>
  dispose(): Promise<void>
}

export function inThisThread(model: Model, options: RecordScorerOptions): Executor {
  const scorer = new RecordScorer(model, loadKernel(), options)
  return {
    score: async (batch) => scorer.score(batch),
    explain: async (batch) => scorer.explain(batch),
    nearestNormal: async (batch) => scorer.nearestNormal(batch),
    densities: async (batch) => scorer.densities(batch),
    dispose: async () => scorer[Symbol.dispose](),
  }
}

export function inPool(
  artifact: Uint8Array,
  model: Model,
  options: RecordScorerOptions,
  threads: number,
): Executor {
  const pool = new ScorePool(artifact, options, threads)
  const fields = new Set(model.manifest.encoder.columns.flatMap(fieldsOf))
  const named = (model.manifest.calibration.strata?.entities.length ?? 0) > 0
  const wired = (batch: RecordBatch) => wireBatch(batch, fields, named)
  return {
    score: (batch) => pool.score(wired(batch)),
    explain: (batch) => pool.explain(wired(batch)),
    nearestNormal: (batch) => pool.nearestNormal(wired(batch)),
    densities: (batch) => pool.densities(wired(batch)),
    dispose: () => pool[Symbol.asyncDispose](),
  }
}

/** The columns of a batch that a learned column reads. */
function fieldsOf(column: ColumnState): string[] {
  const number = column.kind === 'context-number' ? column.number : column
  const since = number.kind === 'numeric' ? number.since : null
  return [column.field, since].filter((field) => field !== null)
}
