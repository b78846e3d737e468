import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { Calibration } from '../../src/detect/calibration/calibration.ts'
import { Strata } from '../../src/detect/calibration/strata.ts'
import { combine, standardOf } from '../../src/detect/combination.ts'
import { StreamTimes } from '../../src/detect/entities/stream-times.ts'
import { densitiesOf, type Learned } from '../../src/detect/fit/learn.ts'
import { type Architecture, mixtureOf, planMembers } from '../../src/detect/fit/member-plan.ts'
import { TrainingRows } from '../../src/detect/fit/training-rows.ts'
import type { Model } from '../../src/detect/model-file/artifact.ts'
import { describeModel } from '../../src/detect/model-file/describe-model.ts'
import { initialWeights } from '../../src/flow/weights.ts'
import { splitParts } from '../../src/train/parts.ts'

/** Trips with every kind of column: numbers, steps, heaps, gaps, levels, a constant. */
export function trips(rows: number, seed: number): Record<string, unknown>[] {
  const r = random(seed)
  return Array.from({ length: rows }, () => {
    const kilometres = 1 + 40 * r.uniform()
    return {
      kilometres,
      minutes: Math.round(3 + 2 * kilometres + 3 * r.normal()),
      tip: r.uniform() < 0.5 ? 0 : 5 * r.uniform(),
      rating: r.uniform() < 0.2 ? null : 1 + r.normal() ** 2,
      seats: 1 + r.integer(4),
      city: ['Basel', 'Bern', 'Chur', 'Genf'][r.integer(4)],
      meter: 'v1',
    }
  })
}

/** A whole model whose flows are as training would start them: nearly Gaussian, quick to make. */
export async function untrainedModel(
  batch: RecordBatch = batchOfRows(trips(1500, 1)),
  { architecture = 'real-nvp' as Architecture, rate = 0.01 } = {},
): Promise<Model> {
  const rows = new TrainingRows([batch])
  const parts = splitParts(batch.rows, { seed: 3, ordered: false })
  const encoder = rows.fitEncoder(parts.fit, {})
  const { encoded } = rows.encode(encoder, parts.fit)
  const plan = planMembers(encoder, encoded, architecture, 5)
  const mixtures = await Promise.all(plan.map((member) => mixtureOf(member, encoded, encoded, undefined)))
  const learned: Learned = {
    encoder,
    plan,
    weights: plan.map(({ spec, seed }, m) =>
      spec === null ? (mixtures[m]?.mixture.tensors ?? new Map()) : initialWeights(spec, seed),
    ),
    heldOutNll: plan.map(() => null),
    starts: [],
    engine: 'none',
    used: parts.fit.length,
    unscored: 0,
  }
  const { members, novelty } = densitiesOf(learned, rows.encode(encoder, parts.calibrate).encoded)
  const standards = members.map(standardOf)
  const surprisals = combine(members, standards, novelty)
  const calibration = Calibration.fit(surprisals)
  const provenance = { source: null, budget: null, seed: 5, contamination: 0, seconds: 0, architecture, rate }
  const calibrated = {
    learned,
    standards,
    strata: Strata.fit(surprisals, { missing: Array.from(surprisals, () => '') }),
    calibration,
    surprisals,
    method: 'split',
    parts,
    unscored: 0,
  } as const
  const labelled = { anomalies: 0, false_alarms: 0 }
  const times = new StreamTimes()
  return describeModel(calibrated, rows, {
    ...provenance,
    labelled,
    windows: undefined,
    habits: undefined,
    records: batch.rows,
    recordsPerDay: null,
    times,
  })
}
