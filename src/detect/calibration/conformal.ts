import type { EncodedBatch } from '../../features/encoded.ts'
import { crossConformalFolds, FEWEST_ROWS_FOR_PARTS, type Parts, splitParts } from '../../train/parts.ts'
import { combine, type Standard, standardOf } from '../combination.ts'
import { densitiesOf, type Learned, type LearnOptions, learn } from '../fit/learn.ts'
import type { TrainingRows } from '../fit/training-rows.ts'
import { leakOf, warmStartText } from '../fit/warm-start.ts'
import { Calibration } from './calibration.ts'
import { missingPatterns, Strata, type StratumKeys } from './strata.ts'

/** A learned density with the calibration of its surprisal. */
export interface Calibrated {
  readonly learned: Learned
  readonly standards: readonly Standard[]
  readonly strata: Strata
  readonly calibration: Calibration
  /** Of the calibration records, in their order. */
  readonly surprisals: Float64Array
  readonly method: 'split' | 'cross-conformal'
  readonly parts: Parts
  readonly unscored: number
  /** What came of the predecessor, where there is one. */
  readonly warmStart?: string
}

const FOLDS = 5

/**
 * Split conformal where there are enough rows for parts of their own: learn from one, calibrate on another. With less
 * data cross-conformal (Vovk 2015): each of five folds is scored by what was learned from the others, all of those
 * scores calibrate, and the final model learns from every row.
 */
export async function learnCalibrated(
  rows: TrainingRows,
  ordered: boolean,
  gate: boolean,
  options: LearnOptions,
): Promise<Calibrated> {
  return rows.rows < FEWEST_ROWS_FOR_PARTS
    ? crossConformal(rows, ordered, options)
    : splitConformal(rows, ordered, gate, options)
}

async function splitConformal(
  rows: TrainingRows,
  ordered: boolean,
  gate: boolean,
  options: LearnOptions,
): Promise<Calibrated> {
  const sampled = splitParts(rows.rows - rows.certain, { seed: options.seed, ordered, gate })
  const parts = withCertain(sampled, rows)
  const { predecessor, ...alone } = options
  const leak =
    predecessor &&
    leakOf(predecessor, ordered, {
      stop: rows.spanOf(sampled.stop).first,
      calibrate: rows.spanOf(sampled.calibrate).first,
    })
  const [learned] = await learn(rows, [parts], leak ? alone : options)
  const { encoded, kept, unscored } = rows.encode(learned.encoder, parts.calibrate)
  const { members, novelty } = densitiesOf(learned, encoded)
  return {
    learned,
    method: 'split',
    parts,
    unscored: unscored + learned.unscored,
    ...(predecessor && {
      warmStart: leak ? `fresh: ${leak}` : warmStartText(predecessor.version, learned.starts),
    }),
    ...calibrated(members, novelty, options.contamination, kindsOf(rows, encoded, kept)),
  }
}

async function crossConformal(
  rows: TrainingRows,
  ordered: boolean,
  { predecessor, ...options }: LearnOptions,
): Promise<Calibrated> {
  const folds = crossConformalFolds(rows.rows, FOLDS, { seed: options.seed, ordered })
  const { stop } = folds[0]
  const stopping = new Set(stop)
  const fit = Int32Array.from({ length: rows.rows }, (_, i) => i).filter((row) => !stopping.has(row))
  const [learned, ...others] = await learn(rows, [{ fit, stop }, ...folds], options)
  const heldOut: ReturnType<typeof densitiesOf>[] = []
  const kinds: Kinds[] = []
  for (const [i, { calibrate }] of folds.entries()) {
    const { encoded, kept } = rows.encode(others[i].encoder, calibrate)
    kinds.push(kindsOf(rows, encoded, kept))
    heldOut.push(densitiesOf(others[i], encoded))
  }
  return {
    learned,
    method: 'cross-conformal',
    parts: {
      fit,
      stop,
      calibrate: Int32Array.from({ length: rows.rows }, (_, i) => i),
      gate: new Int32Array(0),
    },
    unscored: learned.unscored,
    ...(predecessor && {
      warmStart: `fresh: fewer than ${FEWEST_ROWS_FOR_PARTS} records calibrate in turn, and each may have taught version ${predecessor.version}`,
    }),
    ...calibrated(
      learned.plan.map((_, m) => concatenated(heldOut.map(({ members }) => members[m]))),
      concatenated(heldOut.map(({ novelty }) => novelty)),
      options.contamination,
      {
        certain: Uint8Array.from(kinds.flatMap(({ certain }) => [...certain])),
        missing: kinds.flatMap(({ missing }) => missing),
        ...(kinds[0].entities && { entities: kinds.flatMap(({ entities = [] }) => entities) }),
      },
    ),
  }
}

function calibrated(
  densities: readonly Float64Array[],
  novelty: Float64Array,
  contamination: number,
  kinds: Kinds,
): Pick<Calibrated, 'standards' | 'strata' | 'calibration' | 'surprisals'> {
  const standards = densities.map(standardOf)
  const surprisals = combine(densities, standards, novelty)
  const strata = Strata.fit(surprisals, kinds)
  strata.align(surprisals, kinds)
  const calibration = Calibration.fit(surprisals, contamination, kinds.certain)
  return { standards, strata, surprisals, calibration }
}

/** What is known of calibration rows beside their densities. */
interface Kinds extends StratumKeys {
  /** 1 for those that people called normal. */
  readonly certain: Uint8Array
}

function kindsOf(rows: TrainingRows, encoded: EncodedBatch, kept: Int32Array): Kinds {
  const entities = rows.entitiesOf(kept)
  return {
    certain: rows.certainOf(kept),
    missing: missingPatterns(encoded),
    ...(entities && { entities }),
  }
}

/** Every other row that people called normal calibrates, the rest teach: what calibrates must not have taught. */
function withCertain(parts: Parts, { rows, certain }: TrainingRows): Parts {
  const known = Array.from({ length: certain }, (_, i) => rows - certain + i)
  return {
    ...parts,
    calibrate: Int32Array.from([...parts.calibrate, ...known.filter((_, i) => i % 2 === 0)]),
    fit: Int32Array.from([...parts.fit, ...known.filter((_, i) => i % 2 === 1)]),
  }
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]))
}
