import { SurprisalError, throwIfAborted } from '../../core/errors.ts'
import type { RecordBatch } from '../../core/record.ts'
import { type Logger, SILENT } from '../../core/telemetry.ts'
import type { BackendName } from '../../train/backend.ts'
import { alertRate } from '../calibration/alert-rate.ts'
import { learnCalibrated } from '../calibration/conformal.ts'
import { writeArtifact } from '../model-file/artifact.ts'
import { describeModel } from '../model-file/describe-model.ts'
import type { Manifest } from '../model-file/manifest.ts'
import { type CollectOptions, collect, MAX_ROWS } from './collect.ts'
import { type FitCheckpoints, NumberedCheckpoints } from './fit-checkpoints.ts'
import type { Architecture } from './member-plan.ts'
import { TrainingRows } from './training-rows.ts'
import { readPredecessor } from './warm-start.ts'

export interface FitDetectorOptions extends CollectOptions {
  /** Default real-nvp. */
  readonly flow?: Architecture
  /** Nominal false alarms per normal record. Default 0.001. */
  readonly rate?: number
  /** Instead of a rate: `20/day`, `1/hour`, `5/week`, by the training data's records per day. */
  readonly budget?: string
  /** Share of the training data that is anomalous, 0 … 0.5. Default 0. */
  readonly contamination?: number
  /** What the flows are trained on. Default auto: the kernel, or a GPU where the work is large enough. */
  readonly backend?: BackendName | 'auto'
  /** Share of the recipe's training length, above 0 and up to 1 (the default): less is quicker and coarser. */
  readonly effort?: number
  /** The batches are a uniform sample: each record stands for so many. Default 1. */
  readonly thinning?: number
  /** Holds back a part that neither learns nor calibrates, to compare models on. Default true. */
  readonly gate?: boolean
  /** Where the data comes from, for the model's lineage. */
  readonly source?: string
  /** The model that the new one replaces: its flows are gone on from where they fit the records. */
  readonly warmStart?: { readonly artifact: Uint8Array; readonly version: number }
  /** With what an interrupted run of the same fit saved, the model is the one it would have made. */
  readonly checkpoints?: FitCheckpoints
  readonly logger?: Logger
}
export interface FittedDetector {
  readonly artifact: Uint8Array
  readonly manifest: Manifest
}

export const FEWEST_RECORDS = 20

/**
 * Learns what is normal and returns it as a model file: samples the stream, decides column kinds, fits the flows,
 * calibrates on records that they have not seen, and writes golden vectors.
 * @throws SurprisalError DATA_INSUFFICIENT with how much was found and is needed; USAGE; ABORTED; SCHEMA_MISMATCH
 *   for an override of a column that is not there; MODEL_INVALID for checkpoints of another fit
 */
export async function fitDetector(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: FitDetectorOptions = {},
): Promise<FittedDetector> {
  const started = performance.now()
  const { seed = 0, contamination = 0, flow = 'real-nvp', signal, onProgress, logger = SILENT } = options
  const { thinning = 1 } = options
  requireOptions(options)
  const { sample, falseAlarms, anomalies, times, windows, habits, overrides } = await collect(
    batches,
    options,
  )
  const recordsPerDay = times.recordsPerDay === null ? null : thinning * times.recordsPerDay
  const rate = alertRate(options, recordsPerDay)
  const rows = new TrainingRows(sample.batches, falseAlarms)
  if (rows.rows < FEWEST_RECORDS) {
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `${rows.rows} records to learn from, at least ${FEWEST_RECORDS} are needed and some hundreds are better`,
    )
  }
  const predecessor =
    options.warmStart && readPredecessor(options.warmStart.artifact, options.warmStart.version)
  let backend = ''
  const calibrated = await learnCalibrated(rows, times.ordered, options.gate ?? true, {
    architecture: flow,
    backend: options.backend ?? 'auto',
    effort: options.effort ?? 1,
    seed,
    contamination,
    overrides,
    ...(predecessor && { predecessor }),
    ...(signal && { signal }),
    ...(options.checkpoints && { checkpoints: new NumberedCheckpoints(options.checkpoints) }),
    onBackend: ({ name, reason }) => {
      const said = `trains on ${name}: ${reason}`
      if (said !== backend) logger.info({ backend: name }, said)
      backend = said
    },
    onProgress: (p) =>
      onProgress?.({
        stage: 'fit',
        fraction: 0.05 + 0.9 * p.done,
        member: p.member,
        step: p.step,
        steps: p.steps,
        train_nll: p.trainNll,
        held_out_nll: p.heldOutNll,
        message: `flow ${p.member + 1} of ${p.members}, ${Math.round(p.recordsPerSecond)} records/s`,
      }),
  })
  throwIfAborted(signal)
  onProgress?.({ stage: 'calibrate', fraction: 0.96 })
  const model = await describeModel(calibrated, rows, {
    architecture: flow,
    source: options.source ?? null,
    records: Math.round(sample.seen * thinning) + rows.certain + anomalies,
    recordsPerDay,
    labelled: { anomalies, false_alarms: rows.certain },
    times,
    rate,
    budget: options.budget ?? null,
    seed,
    contamination,
    seconds: (performance.now() - started) / 1000,
    windows,
    habits,
  })
  for (const note of model.manifest.notes) logger.warn({}, note)
  const artifact = writeArtifact(model)
  onProgress?.({ stage: 'done', fraction: 1 })
  return { artifact, manifest: model.manifest }
}

function requireOptions({
  contamination = 0,
  effort = 1,
  seed = 0,
  maxRows = MAX_ROWS,
}: FitDetectorOptions): void {
  if (!(contamination >= 0 && contamination <= 0.5))
    throw new SurprisalError(
      'USAGE',
      `contamination is ${contamination}; it is a share of the records, 0 to 0.5`,
    )
  if (!(effort > 0 && effort <= 1))
    throw new SurprisalError(
      'USAGE',
      `effort is ${effort}; it is a share of the training, above 0 and up to 1`,
    )
  if (!Number.isSafeInteger(seed))
    throw new SurprisalError('USAGE', `the seed is ${seed}; it is a whole number`)
  if (!(Number.isInteger(maxRows) && maxRows >= FEWEST_RECORDS))
    throw new SurprisalError('USAGE', `maxRows is ${maxRows}; it is a whole number from ${FEWEST_RECORDS}`)
}
