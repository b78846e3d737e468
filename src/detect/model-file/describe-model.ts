import { createHash } from 'node:crypto'
import { isoOrNull } from '../../core/iso-times.ts'
import { packageVersion } from '../../core/package-root.ts'
import type { EncoderState } from '../../features/encoder-state.ts'
import { addedColumns, type WindowSpec } from '../../features/windows/window-spec.ts'
import type { Calibrated } from '../calibration/conformal.ts'
import { combine } from '../combination.ts'
import { driftReference, pValueDesignEffect } from '../drift/drift-reference.ts'
import type { Habits } from '../entities/habits.ts'
import type { StreamTimes } from '../entities/stream-times.ts'
import { densitiesOf } from '../fit/learn.ts'
import type { Architecture } from '../fit/member-plan.ts'
import type { TrainingRows } from '../fit/training-rows.ts'
import type { Model } from './artifact.ts'
import { drawGolden } from './golden-draw.ts'
import { FORMAT_VERSION, type Manifest } from './manifest.ts'

/** Records per look at drift, where there are enough to have ten of them. */
const BLOCK = 1000

/** A gate is noted from so many alarms on, at so many times what the rate asks for. */
const NOTED = { alarms: 10, times: 5 }

/** How a model came about, beside what was learned. */
export interface Provenance {
  readonly architecture: Architecture
  readonly source: string | null
  /** Records offered, of which the training rows are a sample. */
  readonly records: number
  readonly labelled: NonNullable<Manifest['lineage']['labelled']>
  readonly recordsPerDay: number | null
  readonly times: StreamTimes
  readonly rate: number
  readonly budget: string | null
  readonly seed: number
  readonly contamination: number
  readonly seconds: number
  readonly windows: WindowSpec | undefined
  readonly habits: Habits | undefined
}

/** Everything that a model file holds: manifest, weights, golden vectors, calibration. */
export async function describeModel(
  calibrated: Calibrated,
  rows: TrainingRows,
  {
    architecture,
    source,
    records,
    labelled,
    recordsPerDay,
    times,
    rate,
    budget,
    seed,
    contamination,
    seconds,
    windows,
    habits,
  }: Provenance,
): Promise<Model> {
  const { learned, standards, strata, calibration, method, parts, unscored } = calibrated
  const { encoder, plan, weights, heldOutNll } = learned
  const golden = await Promise.all(
    plan.map(({ spec }, m) =>
      spec === null
        ? { x: new Float32Array(0), context: new Float32Array(0), logProb: new Float32Array(0) }
        : drawGolden(spec, weights[m], seed + m),
    ),
  )
  const { surprisals, tail } = calibration.state
  const metrics = { ...gateMetrics(rows, calibrated, rate), seconds }
  const block = Math.min(BLOCK, Math.max(100, Math.floor(rows.rows / 10)))
  // What a window shows has shown in its field already.
  const derived = new Set(windows === undefined ? [] : addedColumns(windows).map(({ name }) => name))
  const manifest: Manifest = {
    format: FORMAT_VERSION,
    surprisal: packageVersion,
    created_at: new Date().toISOString(),
    architecture,
    engine: learned.engine,
    ...(calibrated.warmStart !== undefined && { warm_start: calibrated.warmStart }),
    measure: encoder.measure,
    fields: encoder.describe(),
    encoder: encoder.state,
    ...(windows && { windows }),
    ...(habits && { habits: modelled(habits, encoder.state) }),
    members: plan.map(({ view, spec, mixture }, m) => ({
      view: view.spec,
      flow: spec,
      ...(mixture && { mixture }),
      ...standards[m],
      held_out_nll: heldOutNll[m],
    })),
    calibration: {
      method,
      records: surprisals.length,
      floor: calibration.floor,
      tail,
      ...(strata.told && { strata: strata.state }),
    },
    alerts: { rate, budget, records_per_day: recordsPerDay },
    drift: {
      ...driftReference(
        rows.batches,
        encoder
          .describe()
          .flatMap(({ field, role }) => (role === 'ignored' || derived.has(field) ? [] : [field])),
        { stride: Math.max(1, Math.round(records / rows.rows)), block },
      ),
      pValueDesignEffect: pValueDesignEffect(calibrated.surprisals, block),
    },
    lineage: {
      source,
      records,
      labelled,
      used: learned.used,
      unscored,
      parts: {
        fit: parts.fit.length,
        stop: parts.stop.length,
        calibrate: parts.calibrate.length,
        gate: parts.gate.length,
      },
      ...times.span,
      fit_until: untilOf(rows, parts.fit),
      stop_until: untilOf(rows, parts.stop),
      sha256: fingerprint(rows, calibrated),
      seed,
      contamination,
    },
    metrics,
    notes: [...notesOf(calibrated, rate), ...trendNote(metrics, parts.gate.length, times.ordered, rate)],
  }
  return { manifest, weights, golden, surprisals }
}

/** Repetitions tell of fields that are modelled as numbers. */
function modelled(habits: Habits, { columns }: EncoderState): Habits {
  const numbers = new Set(
    columns.flatMap((column) => (column.kind === 'numeric' && column.levels === null ? [column.field] : [])),
  )
  return { ...habits, repeats: habits.repeats.filter(({ field }) => numbers.has(field)) }
}

/** How the model does on records that neither taught nor calibrated it. */
function gateMetrics(
  rows: TrainingRows,
  { learned, standards, strata, calibration, parts }: Calibrated,
  rate: number,
): Pick<Manifest['metrics'], 'gate_nll' | 'gate_rate'> {
  const { encoded, kept } = rows.encode(learned.encoder, parts.gate)
  const n = encoded.rows
  if (n === 0) return { gate_nll: null, gate_rate: null }
  const { members, exact, novelty } = densitiesOf(learned, encoded)
  const out = { score: new Float64Array(n), pValue: new Float64Array(n), pMethod: new Uint8Array(n) }
  const surprisals = combine(members, standards, novelty)
  strata.align(surprisals, strata.keysOf(encoded, rows.entitiesOf(kept)))
  calibration.apply(surprisals, n, () => 0.5, out)
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

function untilOf(rows: TrainingRows, part: Int32Array): string | null {
  return isoOrNull(rows.spanOf(part).last)
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

/** Ordered records whose newest part is flagged far more often than was asked for: what is normal changes over time. */
function trendNote(
  { gate_rate: found }: Pick<Manifest['metrics'], 'gate_rate'>,
  records: number,
  ordered: boolean,
  rate: number,
): string[] {
  if (!ordered || found === null || found < NOTED.times * rate || found * records < NOTED.alarms) return []
  const percent = (share: number) => `${Number((100 * share).toPrecision(2))} %`
  return [
    `${percent(found)} of the newest ${records} records, which neither taught nor calibrated the model, are flagged where ${percent(rate)} was asked for: what is normal changes over time; let fields that rise or fall look back (windows: difference), leave them out, or fit on recent records`,
  ]
}
