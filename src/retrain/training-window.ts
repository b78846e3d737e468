import { isSurprisalError, SurprisalError } from '../core/errors.ts'
import type { LookBack, Scorer } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import { StreamSample } from '../detect/fit/sample.ts'
import { Feedback, type RecordLabel } from '../detect/rules/feedback.ts'
import { selectRows } from '../features/select-rows.ts'
import { knowsPast, withBeside } from '../features/windows/stream-windows.ts'
import { type NamedColumns, PlannedWindows, type WindowOptions } from '../features/windows/window-plan.ts'
import { inTimeOrder } from './time-order.ts'

/** Half-open, epoch milliseconds. */
export interface TimeRange {
  readonly from: number
  readonly to: number
  readonly why?: string
}
export interface WindowRules {
  readonly minimumRecords: number
  /** More than these are sampled uniformly while they are read: memory does not grow with the window. */
  readonly maximumRecords?: number
  readonly seed?: number
  /** Times whose records teach nothing: deployments, maintenance. */
  readonly excluded: readonly TimeRange[]
  readonly labels: readonly RecordLabel[]
  /** The running model: what it finds far below its rate is left out. */
  readonly champion?: Scorer
  /** What the champion looks back on, where it shall be compared: along all records too. */
  readonly beside?: LookBack
  /** What the fit will look back on: along all records, before any is left out. */
  readonly windows?: WindowOptions
  readonly named?: NamedColumns
  readonly signal: AbortSignal
}
export interface TrainingWindow {
  /** In order of time. */
  readonly batches: readonly RecordBatch[]
  /** Labels of records that were called false alarms, for the fit. */
  readonly falseAlarms: readonly RecordLabel[]
  readonly counts: {
    readonly read: number
    readonly kept: number
    readonly labelled: number
    readonly excluded: number
    /** Far below the champion's rate. */
    readonly improbable: number
  }
  /** Of the kept records, epoch milliseconds; null where they have no time. */
  readonly from: number | null
  readonly to: number | null
  /** Usable records of the window ÷ those of the sample; 1 where all fit. */
  readonly thinning: number
  readonly notes: readonly string[]
}

/** Only p ≤ rate ÷ this is left out: dropping every flagged record would cut the normal tail more at each retrain. */
const FAR_BELOW = 100
/** More far-below records than this share are no anomalies but a new normal, which the fit is there to learn. */
const NEW_NORMAL = 0.02

/** Collects what a fit may learn from, and says what was left out and why. */
export async function collectWindow(
  source: AsyncIterable<RecordBatch>,
  rules: WindowRules,
): Promise<TrainingWindow> {
  const feedback = new Feedback(rules.labels)
  const certain: RecordBatch[] = []
  const counts = { read: 0, kept: 0, labelled: 0, excluded: 0, improbable: 0 }
  const notes: string[] = []
  const sample = new StreamSample(rules.maximumRecords ?? Number.POSITIVE_INFINITY, rules.seed ?? 0)
  const planned = new PlannedWindows(rules.windows, rules.named ?? {})
  const beside = lookingBeside(rules.beside, notes)
  for await (const read of source) {
    rules.signal.throwIfAborted()
    const { unlabelled, falseAlarms, anomalies } = feedback.sort(beside(planned.append(read)))
    const [usable, known] = [unlabelled, falseAlarms].map((batch) => outside(batch, rules.excluded))
    counts.read += read.rows
    counts.labelled += anomalies
    counts.excluded += read.rows - anomalies - usable.rows - known.rows
    sample.add(usable)
    if (known.rows > 0) certain.push(known)
  }
  const drawn = sample.batches
  const [size, known] = [rowsOf(drawn), rowsOf(certain)]
  if (size < sample.seen) notes.push(`a uniform sample of ${size} of ${sample.seen} usable records is kept`)
  // First, where nothing sorts them: they teach, and the latest records judge.
  const sampled = inTimeOrder([...certain, ...drawn])
  const improbable: (readonly number[])[] = []
  let champion = judgeOf(rules.champion, sampled)
  if (champion === undefined && rules.champion !== undefined)
    notes.push('what the champion looks back on is not known, so its judgement leaves nothing out')
  for (const batch of sampled) {
    rules.signal.throwIfAborted()
    try {
      improbable.push(champion === undefined ? [] : await farBelow(champion, batch, feedback))
    } catch (error) {
      // The schema has changed since: a retraining is the way out, so it must not fail by it.
      if (!isSurprisalError(error, 'SCHEMA_MISMATCH')) throw error
      notes.push(
        `the champion cannot score the window (${error.message}), so its judgement leaves nothing out`,
      )
      improbable.push([])
      champion = undefined
    }
  }
  counts.improbable = improbable.reduce((sum, rows) => sum + rows.length, 0)
  const newNormal = counts.improbable > NEW_NORMAL * (size + known)
  if (newNormal) {
    notes.push(
      `${counts.improbable} of ${size + known} records lie far below the champion's rate: too many to be anomalies, so they are learned as a new normal`,
    )
    counts.improbable = 0
  }
  const batches = sampled.flatMap((batch, i) => {
    const left = newNormal || improbable[i].length === 0 ? batch : without(batch, improbable[i])
    return left.rows === 0 ? [] : [left]
  })
  counts.kept = rowsOf(batches)
  if (counts.kept < rules.minimumRecords) {
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `the training window holds ${counts.kept} usable records of ${counts.read} read, ${rules.minimumRecords} are required: widen the window or lower retrain.window.minimum`,
    )
  }
  const falseAlarms = rules.labels.filter(({ label }) => label === 'false_alarm')
  const thinning = size === 0 ? 1 : sample.seen / size
  return { batches, falseAlarms, counts, notes, thinning, ...boundsOf(batches) }
}

/**
 * The last `share` of the records, which no fit, stop or calibration sees, and what is before it. Both keep order.
 */
export function holdOutLatest(
  batches: readonly RecordBatch[],
  share: number,
): { readonly train: readonly RecordBatch[]; readonly gate: readonly RecordBatch[] } {
  const total = rowsOf(batches)
  let left = Math.floor(total * (1 - share))
  const [train, gate]: [RecordBatch[], RecordBatch[]] = [[], []]
  for (const batch of batches) {
    const cut = Math.min(batch.rows, left)
    left -= cut
    if (cut > 0) train.push(cut === batch.rows ? batch : selectRows(batch, range(0, cut)))
    if (cut < batch.rows) gate.push(cut === 0 ? batch : selectRows(batch, range(cut, batch.rows)))
  }
  return { train, gate }
}

/** Looks back along every record, before any is left out, as long as that can be done. */
function lookingBeside(lookBack: LookBack | undefined, notes: string[]): (batch: RecordBatch) => RecordBatch {
  let failed = lookBack === undefined
  return (batch) => {
    if (lookBack === undefined || failed || batch.rows === 0 || batch.windows?.id === lookBack.id)
      return batch
    try {
      return withBeside(batch, lookBack)
    } catch (error) {
      if (!isSurprisalError(error, 'SCHEMA_MISMATCH')) throw error
      failed = true
      notes.push(`the champion cannot look back along the window (${error.message})`)
      return batch
    }
  }
}

/** A model whose look-back is not known of the records would see the sample as if it were the stream. */
function judgeOf(champion: Scorer | undefined, batches: readonly RecordBatch[]): Scorer | undefined {
  return champion !== undefined && knowsPast(champion, batches) ? champion : undefined
}

async function farBelow(champion: Scorer, batch: RecordBatch, feedback: Feedback): Promise<number[]> {
  const { pValue, score } = await champion.score(batch, {
    pipeline: 'window',
    explain: false,
    runId: 'window',
  })
  const limit = -Math.log10(champion.rate / FAR_BELOW)
  const rows: number[] = []
  for (let row = 0; row < batch.rows; row++) {
    if (!Number.isNaN(pValue[row]) && score[row] >= limit && feedback.of(batch, row) !== 'false_alarm')
      rows.push(row)
  }
  return rows
}

function outside(batch: RecordBatch, excluded: readonly TimeRange[]): RecordBatch {
  const { eventTime } = batch
  if (excluded.length === 0 || eventTime === undefined) return batch
  const inside = range(0, batch.rows).filter((row) =>
    excluded.some(({ from, to }) => eventTime[row] >= from && eventTime[row] < to),
  )
  return inside.length === 0 ? batch : without(batch, inside)
}

function without(batch: RecordBatch, rows: readonly number[]): RecordBatch {
  const dropped = new Set(rows)
  return selectRows(
    batch,
    range(0, batch.rows).filter((row) => !dropped.has(row)),
  )
}

function boundsOf(batches: readonly RecordBatch[]): { from: number | null; to: number | null } {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { eventTime } of batches) {
    for (const time of eventTime ?? []) {
      if (time < from) from = time
      if (time > to) to = time
    }
  }
  return to >= from ? { from, to } : { from: null, to: null }
}

const rowsOf = (batches: readonly RecordBatch[]): number => batches.reduce((sum, { rows }) => sum + rows, 0)
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
