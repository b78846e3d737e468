import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import type { Detector } from '../detect/detector.ts'
import { knowsPast } from '../features/windows/stream-windows.ts'
import { evaluateModel } from './evaluate-model.ts'
import { type Evaluation, GATE, type GateDecision, type GateOptions, judge } from './gate.ts'

/**
 * What the gate says of a challenger on records that neither model has seen. Both look back along the whole stream, each
 * in its own way, and faults are planted where both look: in fields that both learned. Where the champion cannot score
 * these records at all, the decision says why, and the challenger stands alone.
 */
export async function decide(
  gateOptions: Partial<GateOptions>,
  challenger: Detector,
  champion: Detector | undefined,
  gate: readonly RecordBatch[],
  signal: AbortSignal,
): Promise<GateDecision> {
  const options = { ...GATE, ...gateOptions, rate: challenger.rate }
  const fields = learnedBy(challenger).filter(
    (field) => champion === undefined || learnedBy(champion).includes(field),
  )
  const evaluate = (detector: Detector) =>
    evaluateModel(detector, detector.manifest.measure, gate, { seed: options.seed, fields, signal })
  const mine = await evaluate(challenger)
  if (champion === undefined) return judge(mine, undefined, options)
  const theirs = await evaluated(champion, gate, evaluate)
  return typeof theirs === 'string'
    ? judge(
        mine,
        undefined,
        options,
        `version ${champion.modelVersion} cannot score these records: ${theirs}`,
      )
    : judge(mine, theirs, options)
}

/** Or why it cannot be. */
async function evaluated(
  champion: Detector,
  gate: readonly RecordBatch[],
  evaluate: (detector: Detector) => Promise<Evaluation>,
): Promise<Evaluation | string> {
  if (!knowsPast(champion, gate)) return 'what it looks back on is not known of them'
  try {
    return await evaluate(champion)
  } catch (error) {
    if (isSurprisalError(error, 'SCHEMA_MISMATCH')) return messageOf(error)
    throw error
  }
}

function learnedBy({ manifest }: Detector): string[] {
  return manifest.fields.filter(({ role }) => role !== 'ignored').map(({ field }) => field)
}
