import { throwIfAborted } from '../../core/errors.ts'
import type { RetrainProgress } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { ColumnOverride, Overrides } from '../../features/profile/profile.ts'
import { PlannedWindows, type WindowOptions, windowOverrides } from '../../features/windows/window-plan.ts'
import { clockColumn, type WindowSpec } from '../../features/windows/window-spec.ts'
import { HabitLearner, type Habits } from '../entities/habits.ts'
import { StreamTimes } from '../entities/stream-times.ts'
import { Feedback, type RecordLabel } from '../rules/feedback.ts'
import { StreamSample } from './sample.ts'

export interface CollectOptions {
  /** Same data, options and seed: same model. Default 0. */
  readonly seed?: number
  /** What the user says about columns instead of the rules. */
  readonly overrides?: Overrides
  /** Columns that take no part. */
  readonly ignore?: readonly string[]
  /** The column of the event time. Default: the first column of times. */
  readonly time?: string
  /** The column that names who a record is about. */
  readonly entity?: string
  /**
   * What to look back on in the stream, per entity. The stream's clock is looked back on unless it is turned off,
   * where the records come in the order of their times.
   */
  readonly windows?: WindowOptions
  /** Records learned from at most, a uniform sample of more. Default 250,000. */
  readonly maxRows?: number
  /**
   * What people said of records, by id or content (`contentIdOf`). Labelled anomalies teach nothing. False alarms are
   * kept whatever `maxRows` and `contamination` say, and counted as normal: half of them teach, half calibrate.
   */
  readonly labels?: readonly RecordLabel[]
  /** The fields that content ids of `labels` were made of. Default: all of a record. */
  readonly labelledFields?: readonly string[]
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RetrainProgress) => void
}

export const MAX_ROWS = 250_000

/** What a fit keeps of the records offered to it. */
export interface Collected {
  readonly sample: StreamSample
  readonly falseAlarms: readonly RecordBatch[]
  /** Labelled ones, which were left out. */
  readonly anomalies: number
  readonly times: StreamTimes
  readonly windows: WindowSpec | undefined
  readonly habits: Habits | undefined
  readonly overrides: Overrides
}

/** Reads a stream: windows are computed along all of it, then labels sort the records, of which a sample is taken. */
export async function collect(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: CollectOptions,
): Promise<Collected> {
  const {
    maxRows = MAX_ROWS,
    seed = 0,
    labels = [],
    labelledFields,
    ignore = [],
    signal,
    onProgress,
  } = options
  const sample = new StreamSample(maxRows, seed)
  const times = new StreamTimes()
  const planned = new PlannedWindows(options.windows, options)
  const feedback = new Feedback(labels, labelledFields)
  const known: RecordBatch[] = []
  let labelledAnomalies = 0
  let learner: HabitLearner | undefined
  for await (const batch of batches) {
    throwIfAborted(signal)
    const looked = planned.append(batch)
    learner ??= batch.rows === 0 ? undefined : new HabitLearner(planned.named(batch))
    learner?.add(looked)
    const { unlabelled, falseAlarms, anomalies } = feedback.sort(looked)
    sample.add(unlabelled)
    if (falseAlarms.rows > 0) known.push(falseAlarms)
    labelledAnomalies += anomalies
    times.add(batch)
    onProgress?.({ stage: 'collect', fraction: 0, message: `${sample.seen} records read` })
  }
  const { windows, added } = settled(planned.spec, times)
  const given = options.overrides ?? {}
  const overrides = { ...given, ...Object.fromEntries(ignore.map((f) => [f, { ignore: true }])) }
  for (const [name, override] of Object.entries(added)) overrides[name] = { ...override, ...overrides[name] }
  return {
    sample,
    falseAlarms: known,
    anomalies: labelledAnomalies,
    times,
    windows,
    habits: times.ordered ? learner?.habits() : undefined,
    overrides,
  }
}

/** A stream out of order has no clock of its own. */
function settled(
  planned: WindowSpec | undefined,
  times: StreamTimes,
): { readonly windows: WindowSpec | undefined; readonly added: Record<string, ColumnOverride> } {
  if (planned === undefined) return { windows: undefined, added: {} }
  const added = windowOverrides(planned)
  if (!planned.clock || times.ordered) return { windows: planned, added }
  const { clock: _, ...rest } = planned
  added[clockColumn(planned.time)] = {
    ignore: true,
    why: 'the records do not come in the order of their times',
  }
  return { windows: rest.fields.length > 0 || rest.sincePrevious ? rest : undefined, added }
}
