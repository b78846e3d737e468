import { createHash } from 'node:crypto'
import { SurprisalError, throwIfAborted } from '../core/errors.ts'
import { packageVersion } from '../core/package-root.ts'
import type { RetrainProgress } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import { type Logger, SILENT } from '../core/telemetry.ts'
import type { Overrides } from '../features/profile.ts'
import type { BackendName } from '../train/backend.ts'
import { alertRate } from './alert-rate.ts'
import { type Model, writeArtifact } from './artifact.ts'
import { combine } from './combination.ts'
import { type Calibrated, learnCalibrated } from './conformal.ts'
import { drawGolden } from './golden.ts'
import { densitiesOf } from './learn.ts'
import { FORMAT_VERSION, type Manifest } from './manifest.ts'
import type { Architecture } from './member-plan.ts'
import { StreamSample } from './sample.ts'
import { StreamTimes } from './stream-times.ts'
import { TrainingRows } from './training-rows.ts'

export interface FitDetectorOptions {
  /** Default real-nvp. */
  readonly flow?: Architecture
  /** Nominal false alarms per normal record. Default 0.001. */
  readonly rate?: number
  /** Instead of a rate: `20/day`, `1/hour`, `5/week`, by the training data's records per day. */
  readonly budget?: string
  /** Same data, options and seed: same model. Default 0. */
  readonly seed?: number
  /** Share of the training data that is anomalous, 0 … 0.5. Default 0. */
  readonly contamination?: number
  /** What the flows are trained on. Default auto: the kernel, or a GPU where the work is large enough. */
  readonly backend?: BackendName | 'auto'
  /** What the user says about columns instead of the rules. */
  readonly overrides?: Overrides
  /** Columns that take no part. */
  readonly ignore?: readonly string[]
  /** Records learned from at most, a uniform sample of more. Default 250,000. */
  readonly maxRows?: number
  /** Holds back a part that neither learns nor calibrates, to compare models on. Default true. */
  readonly gate?: boolean
  /** Where the data comes from, for the model's lineage. */
  readonly source?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RetrainProgress) => void
  readonly logger?: Logger
}
export interface FittedDetector {
  readonly artifact: Uint8Array
  readonly manifest: Manifest
}

const MAX_ROWS = 250_000
export const FEWEST_RECORDS = 20

/**
 * Learns what is normal and returns it as a model file: samples the stream, decides column kinds, fits the flows,
 * calibrates on records that they have not seen, and writes golden vectors.
 * @throws SurprisalError DATA_INSUFFICIENT with how much was found and is needed; USAGE; ABORTED; SCHEMA_MISMATCH
 *   for an override of a column that is not there
 */
export async function fitDetector(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: FitDetectorOptions = {},
): Promise<FittedDetector> {
  const started = performance.now()
  const { seed = 0, contamination = 0, flow = 'real-nvp', signal, onProgress, logger = SILENT } = options
  requireOptions(options)
  const { sample, times } = await collect(batches, options)
  const rate = alertRate(options, times.recordsPerDay)
  const rows = new TrainingRows(sample.batches)
  if (rows.rows < FEWEST_RECORDS) {
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `${rows.rows} records to learn from, at least ${FEWEST_RECORDS} are needed and some hundreds are better`,
    )
  }
  const calibrated = await learnCalibrated(rows, times.ordered, options.gate ?? true, {
    architecture: flow,
    backend: options.backend ?? 'auto',
    seed,
    contamination,
    overrides: {
      ...options.overrides,
      ...Object.fromEntries((options.ignore ?? []).map((f) => [f, { ignore: true }])),
    },
    ...(signal && { signal }),
    onProgress: (p) =>
      onProgress?.({
        stage: 'fit',
        fraction: 0.05 + 0.9 * p.done,
        step: p.step,
        steps: p.steps,
        train_nll: p.trainNll,
        held_out_nll: p.heldOutNll,
        message: `flow ${p.member + 1} of ${p.members}, ${Math.round(p.recordsPerSecond)} records/s`,
      }),
  })
  throwIfAborted(signal)
  onProgress?.({ stage: 'calibrate', fraction: 0.96 })
  const model = await modelOf(calibrated, rows, {
    records: sample.seen,
    rate,
    times,
    seconds: (performance.now() - started) / 1000,
    options,
  })
  for (const note of model.manifest.notes) logger.warn({}, note)
  const artifact = writeArtifact(model)
  onProgress?.({ stage: 'done', fraction: 1 })
  return { artifact, manifest: model.manifest }
}

function requireOptions({ contamination = 0, seed = 0, maxRows = MAX_ROWS }: FitDetectorOptions): void {
  if (!(contamination >= 0 && contamination <= 0.5))
    throw new SurprisalError(
      'USAGE',
      `contamination is ${contamination}; it is a share of the records, 0 to 0.5`,
    )
  if (!Number.isSafeInteger(seed))
    throw new SurprisalError('USAGE', `the seed is ${seed}; it is a whole number`)
  if (!(Number.isInteger(maxRows) && maxRows >= FEWEST_RECORDS))
    throw new SurprisalError('USAGE', `maxRows is ${maxRows}; it is a whole number from ${FEWEST_RECORDS}`)
}

async function collect(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  { maxRows = MAX_ROWS, seed = 0, signal, onProgress }: FitDetectorOptions,
): Promise<{ sample: StreamSample; times: StreamTimes }> {
  const sample = new StreamSample(maxRows, seed)
  const times = new StreamTimes()
  for await (const batch of batches) {
    throwIfAborted(signal)
    sample.add(batch)
    times.add(batch)
    onProgress?.({ stage: 'collect', fraction: 0, message: `${sample.seen} records read` })
  }
  return { sample, times }
}

interface Circumstances {
  readonly records: number
  readonly rate: number
  readonly times: StreamTimes
  readonly seconds: number
  readonly options: FitDetectorOptions
}

async function modelOf(
  calibrated: Calibrated,
  rows: TrainingRows,
  { records, rate, times, seconds, options }: Circumstances,
): Promise<Model> {
  const { learned, standards, calibration, method, parts, unscored } = calibrated
  const { encoder, plan, weights, heldOutNll } = learned
  const seed = options.seed ?? 0
  const golden = await Promise.all(
    plan.map(({ spec }, m) =>
      spec === null
        ? { x: new Float32Array(0), context: new Float32Array(0), logProb: new Float32Array(0) }
        : drawGolden(spec, weights[m], seed + m),
    ),
  )
  const { surprisals, tail } = calibration.state
  const manifest: Manifest = {
    format: FORMAT_VERSION,
    surprisal: packageVersion,
    created_at: new Date().toISOString(),
    architecture: options.flow ?? 'real-nvp',
    engine: learned.engine,
    measure: encoder.measure,
    fields: encoder
      .describe()
      .map(({ field, kind, role, why, learned: what }) => ({ field, kind, role, why, learned: what })),
    encoder: encoder.state,
    members: plan.map(({ view, spec }, m) => ({
      view: view.spec,
      flow: spec,
      ...standards[m],
      held_out_nll: heldOutNll[m],
    })),
    calibration: { method, records: surprisals.length, floor: calibration.floor, tail },
    alerts: { rate, budget: options.budget ?? null, records_per_day: times.recordsPerDay },
    lineage: {
      source: options.source ?? null,
      records,
      used: learned.used,
      unscored,
      parts: {
        fit: parts.fit.length,
        stop: parts.stop.length,
        calibrate: parts.calibrate.length,
        gate: parts.gate.length,
      },
      ...times.span,
      sha256: fingerprint(rows, calibrated),
      seed,
      contamination: options.contamination ?? 0,
    },
    metrics: { ...gateMetrics(rows, calibrated, rate), seconds },
    notes: notesOf(calibrated, rate),
  }
  return { manifest, weights, golden, surprisals }
}

/** How the model does on records that neither taught nor calibrated it. */
function gateMetrics(
  rows: TrainingRows,
  { learned, standards, calibration, parts }: Calibrated,
  rate: number,
): Pick<Manifest['metrics'], 'gate_nll' | 'gate_rate'> {
  const { encoded } = rows.encode(learned.encoder, parts.gate)
  const n = encoded.rows
  if (n === 0) return { gate_nll: null, gate_rate: null }
  const { members, exact, novelty } = densitiesOf(learned, encoded)
  const out = { score: new Float64Array(n), pValue: new Float64Array(n), pMethod: new Uint8Array(n) }
  calibration.apply(combine(members, standards, novelty), n, () => 0.5, out)
  let nll = 0
  let flagged = 0
  for (let i = 0; i < n; i++) {
    nll -= (exact[i] + encoded.logJacobian[i] + encoded.logUnits[i]) / n
    if (out.pValue[i] <= rate) flagged++
  }
  return { gate_nll: nll, gate_rate: flagged / n }
}

function fingerprint(rows: TrainingRows, { learned, parts }: Calibrated): string {
  const { encoded } = rows.encode(learned.encoder, parts.fit)
  return createHash('sha256').update(encoded.joint).update(encoded.codes).digest('hex')
}

function notesOf({ calibration, unscored }: Calibrated, rate: number): string[] {
  const notes: string[] = []
  if (rate < calibration.floor) {
    notes.push(
      `the alert rate ${rate} is below ${calibration.floor.toPrecision(2)}, the smallest p-value that ${calibration.n} calibration records support: nothing can be flagged; raise the rate or fit on more records`,
    )
  }
  if (unscored > 0) notes.push(`${unscored} training records could not be encoded and were left out`)
  return notes
}
