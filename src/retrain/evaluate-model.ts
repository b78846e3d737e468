import type { Scorer } from '../core/ports.ts'
import { ownColumns, type RecordBatch } from '../core/record.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../core/scored.ts'
import { FAULT_KINDS, plantFaults } from '../detect/canaries.ts'
import { quantile } from '../features/columns/scaling.ts'
import type { Evaluation } from './gate.ts'

const CANARY_SHARE = 0.05

export interface EvaluationOptions {
  readonly seed: number
  /** Where faults are planted. */
  readonly fields: readonly string[]
  readonly signal: AbortSignal
}

/**
 * Scores the gate window twice: as it is, for the density and the alarm rate, and with planted faults, for what the
 * model finds. The same seed plants the same faults for every model.
 */
export async function evaluateModel(
  scorer: Scorer,
  measure: string,
  batches: readonly RecordBatch[],
  { seed, fields, signal }: EvaluationOptions,
): Promise<Evaluation> {
  const logProb: number[] = []
  const scores: number[] = []
  const canaries: number[] = []
  let [flagged, unscored] = [0, 0]
  const rates: number[] = []
  const score = async (batch: RecordBatch): Promise<ScoredBatch> => {
    signal.throwIfAborted()
    return scorer.score(batch, { pipeline: 'gate', explain: false, runId: 'gate' })
  }
  const allowed = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, fields]))
  const lookBack = scorer.lookBack?.()
  const looked = batches.map((batch) => lookBack?.append(batch) ?? batch)
  // The first batch starts the threads: its time would count against whoever is judged first.
  if (looked.length > 0) await score(looked[0])
  for (const [i, batch] of looked.entries()) {
    const started = performance.now()
    const scored = await score(batch)
    rates.push((1000 * batch.rows) / (performance.now() - started))
    for (let row = 0; row < batch.rows; row++) {
      logProb.push(scored.logProb[row])
      scores.push(noticed(scored.score[row]))
      if (scored.verdict[row] === ANOMALY) flagged++
      if (scored.verdict[row] === UNSCORED) unscored++
    }
    const faulty = plantFaults(ownColumns(batch), { seed: seed + i, share: CANARY_SHARE, fields: allowed })
    if (faulty.faults.length === 0) continue
    const { score: surprise } = await score(lookBack?.vary(batch, faulty.batch) ?? faulty.batch)
    for (const { row } of faulty.faults) canaries.push(noticed(surprise[row]))
  }
  const records = Math.max(1, logProb.length)
  return {
    version: scorer.modelVersion,
    measure,
    logProb: Float64Array.from(logProb),
    alarmRate: flagged / records,
    unscoredRate: unscored / records,
    scores: Float64Array.from(scores),
    canaries: Float64Array.from(canaries),
    recordsPerSecond: quantile(Float64Array.from(rates).sort(), 0.5),
  }
}

const noticed = (score: number): number => (Number.isNaN(score) ? Number.POSITIVE_INFINITY : score)
