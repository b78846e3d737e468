import { availableParallelism } from 'node:os'
import { basename, extname } from 'node:path'
import type { FileFormat } from '../../../connectors/files/format.ts'
import { type DiscardableSink, fileSink } from '../../../connectors/files/open-sink.ts'
import type { DeclaredColumn } from '../../../connectors/files/record-file.ts'
import { SurprisalError, throwIfAborted } from '../../core/errors.ts'
import type { RejectedRecord } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../../core/scored.ts'
import { Detector } from '../../detect/detector.ts'
import { type EntityAlarm, EntityWatch, type EntityWatchOptions } from '../../detect/entities/entity-watch.ts'
import type { Manifest } from '../../detect/model-file/manifest.ts'
import { fieldsOfRules, type SuppressionRule } from '../../detect/rules/suppression.ts'
import { alongStream } from '../../detect/score-stream.ts'
import { addedColumns } from '../../features/windows/window-spec.ts'
import { batchOfRejected, unscoredBatch } from '../../pipeline/unscored.ts'
import { requireExplained } from './alert-rules.ts'
import { type DataOptions, openData } from './data.ts'
import { readModelFile } from './model-file.ts'
import { scoreInOrder } from './score-in-order.ts'

export interface ScoreFilesOptions extends DataOptions {
  readonly model: string
  readonly out: string
  readonly format?: FileFormat
  /** Input columns that the output carries on. */
  readonly keep?: readonly string[]
  readonly explain: boolean
  readonly rate?: number
  readonly redact?: readonly string[]
  /** Marks flagged records that people know of. */
  readonly suppress?: readonly SuppressionRule[]
  /** What entities are watched for. Default: everything, at 1e-6 false alarms per record of each. */
  readonly watch?: Partial<EntityWatchOptions>
  readonly workers?: number
  readonly signal: AbortSignal
  /** Sees every scored batch after the output took it. */
  readonly observe?: (scored: ScoredBatch) => void
  /** Hears of entities that are silent, stuck or too regular. */
  readonly onAlarm?: (alarm: EntityAlarm) => void
  readonly onProgress?: (progress: { readonly records: number; readonly fraction?: number }) => void
}
export interface ScoreSummary {
  readonly records: number
  readonly anomalies: number
  /** Of the anomalies, those that a rule suppresses. */
  readonly suppressed: number
  readonly unscored: number
  readonly records_per_second: number
  readonly seconds: number
  readonly nominal_rate: number
  /** Anomalies among scored records. */
  readonly flagged_rate: number
  /** How often an entity was silent, stuck or too regular; without habits in the model, absent. */
  readonly silent?: number
  readonly stuck?: number
  readonly regular?: number
  readonly out: string
}

/** False alarms per record of each watch on entities. */
const WATCH_RATE = 1e-6

/**
 * Scores files into one output that appears whole or not at all. Records that cannot be decoded or encoded come out
 * unscored, with the reason.
 */
export async function scoreFiles(options: ScoreFilesOptions): Promise<ScoreSummary> {
  const { model, out, keep = [], suppress = [], explain, signal, onProgress, observe } = options
  const started = performance.now()
  const bare = keep.find((name) => options.redact?.includes(name))
  if (bare !== undefined)
    throw new SurprisalError('USAGE', `column "${bare}" is both kept and redacted; choose one`)
  requireExplained(suppress, explain)
  const workers = options.workers ?? availableParallelism()
  await using detector = await Detector.load(await readModelFile(model), {
    workers,
    explainPerSecond: Number.POSITIVE_INFINITY,
    suppress,
    ...(options.rate !== undefined && { rate: options.rate }),
    ...(options.redact !== undefined && { redact: options.redact }),
  })
  const columns = [...new Set([...learnedColumns(detector.manifest), ...keep])]
  await using source = await openData(
    likeTrained(options, detector.manifest),
    { columns, also: fieldsOfRules(suppress) },
    signal,
  )
  requireNumbers(source.schema, detector.manifest)
  const sink = await fileSink(out, { keep, ...(options.format && { format: options.format }) })
  const pipeline = basename(model, extname(model))
  const tally = { records: 0, anomalies: 0, suppressed: 0, unscored: 0 }
  const { habits } = detector.manifest
  const watch = habits && new EntityWatch(habits, { rate: WATCH_RATE, ...options.watch })
  const strange = { silent: 0, stuck: 0, regular: 0 }
  const write = async (scored: ScoredBatch) => {
    await sink.write(scored)
    observe?.(scored)
    for (const alarm of watch?.observe(scored) ?? []) {
      if (alarm.state === 'firing') strange[alarm.kind]++
      options.onAlarm?.(alarm)
    }
    count(tally, scored)
  }
  await orDiscard(sink, async () => {
    await sink.open(signal)
    const along = alongStream(detector)
    const score = (batch: RecordBatch) => along(batch, { pipeline, explain })
    for await (const { delivery, scored } of scoreInOrder(source.deliveries(signal), score, workers + 2)) {
      if (scored.batch.rows > 0) await write(scored)
      if (delivery.rejected.length > 0) await write(rejectedBatch(delivery, pipeline, detector))
      await delivery.ack()
      throwIfAborted(signal)
      const fraction = source.progress
      onProgress?.({ records: tally.records, ...(fraction !== undefined && { fraction }) })
    }
    throwIfAborted(signal)
    await sink.flush()
  })
  const seconds = (performance.now() - started) / 1000
  return {
    ...tally,
    records_per_second: Math.round(tally.records / seconds),
    seconds: Number(seconds.toFixed(3)),
    nominal_rate: detector.rate,
    flagged_rate: tally.anomalies / Math.max(1, tally.records - tally.unscored),
    ...(watch && strange),
    out,
  }
}

/** Time and entity are the columns that the model was trained with, where no others are named. */
export function likeTrained<T extends DataOptions>(options: T, { windows, habits }: Manifest): T {
  const { time, entity } = { ...habits, ...windows }
  return { ...(time !== undefined && { time }), ...(entity !== undefined && { entity }), ...options }
}

/** The fields that a model reads of its data. */
export function learnedColumns({ fields, windows, habits }: Manifest): string[] {
  const learned = fields.filter(({ role }) => role !== 'ignored').map(({ field }) => field)
  const added = new Set(windows === undefined ? [] : addedColumns(windows).map(({ name }) => name))
  const named = [windows?.time, windows?.entity, habits?.time, habits?.entity]
  const sources = [...(windows?.fields.map(({ field }) => field) ?? []), ...named]
  const read = [
    ...learned.filter((field) => !added.has(field)),
    ...sources.filter((name) => name !== undefined),
  ]
  return [...new Set(read)]
}

/** A file that declares text where the model learned numbers is another file, not one with a few bad cells. */
export function requireNumbers(schema: readonly DeclaredColumn[] | undefined, manifest: Manifest): void {
  const learned = new Map(manifest.encoder.profile.map(({ field, source }) => [field, source]))
  const wrong = schema?.find(({ name, type }) => learned.get(name) === 'number' && /utf8|varchar/i.test(type))
  if (wrong === undefined || !learnedColumns(manifest).includes(wrong.name)) return
  throw new SurprisalError(
    'SCHEMA_MISMATCH',
    `column "${wrong.name}" holds text (${wrong.type}) and the model learned numbers; convert it, or fit a model on such data`,
  )
}

function rejectedBatch(
  { rejected, batch }: { readonly rejected: readonly RejectedRecord[]; readonly batch: RecordBatch },
  pipeline: string,
  detector: Detector,
): ScoredBatch {
  return unscoredBatch(batchOfRejected(rejected, batch), pipeline, detector, (row) => rejected[row].reason)
}

function count(
  tally: { records: number; anomalies: number; suppressed: number; unscored: number },
  { verdict, suppressed }: ScoredBatch,
): void {
  tally.records += verdict.length
  tally.suppressed += suppressed?.size ?? 0
  for (const v of verdict) {
    if (v === ANOMALY) tally.anomalies++
    if (v === UNSCORED) tally.unscored++
  }
}

async function orDiscard(sink: DiscardableSink, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    await sink.discard()
    throw error
  }
}
