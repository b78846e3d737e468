import { describe, expect, it } from 'vitest'
import type { FlowWeights } from '../../../src/core/flow-spec.ts'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../../src/core/record.ts'
import { type FitDetectorOptions, fitDetector } from '../../../src/detect/fit/fit-detector.ts'
import { type PlannedMember, planMembers } from '../../../src/detect/fit/member-plan.ts'
import { candidatesFor, leakOf, type Predecessor } from '../../../src/detect/fit/warm-start.ts'
import { readArtifact } from '../../../src/detect/model-file/artifact.ts'
import { BULK } from '../../../src/features/columns/scaling.ts'
import { FeatureEncoder } from '../../../src/features/encoder.ts'
import { fitEncoder } from '../../../src/features/encoder-fit.ts'
import { View } from '../../../src/features/view.ts'
import { initialWeights } from '../../../src/flow/weights.ts'
import { FlowScorer } from '../../../src/kernel/flow-scorer.ts'
import { loadKernel } from '../../../src/kernel/kernel.ts'
import { trips, untrainedModel } from '../untrained.ts'

type Trip = Record<string, unknown>

/** Estimates of anchors are refitted and move a little: without them what is carried can be compared exactly. */
const unanchored = (batch: RecordBatch): FeatureEncoder =>
  FeatureEncoder.fromState({ ...fitEncoder([batch]).state, anchors: [] })

function disturbed(weights: FlowWeights, seed: number): FlowWeights {
  const r = random(seed)
  return new Map(
    [...weights].map(([name, { shape, data }]) => [
      name,
      { shape, data: name.endsWith('matrix') ? data : data.map((v) => v + 0.02 * r.normal()) },
    ]),
  )
}

/** log p of each row under a flow, in its units and in the record's, and whether all its numbers lie in the bulk. */
function densities(encoder: FeatureEncoder, member: PlannedMember, weights: FlowWeights, batch: RecordBatch) {
  const encoded = encoder.encode(batch)
  const { x, context, fill } = new View(member.view.spec).input(encoded)
  const scorer = new FlowScorer(loadKernel(), member.spec!, weights)
  const logP = scorer.logProb(x, context, encoded.rows)
  scorer.dispose()
  const units = member.view.spec.dims.map(
    ({ column, standard }) =>
      encoder.scaleOf(encoder.layout.numeric[column].field) * (standard?.deviation ?? 1),
  )
  const logUnits = units.reduce((sum, unit) => sum + Math.log(unit), 0)
  return Array.from(logP, (value, row) => {
    const at = row * member.view.dim
    const own = Array.from({ length: member.view.dim }, (_, d) => at + d)
    return {
      raw: value - logUnits,
      encoded: value,
      bulk: own.every((i) => fill?.[i] !== 1 && Math.abs(x[i]) < BULK),
    }
  })
}

/** Cities in another order of frequency, one of them new, and other centres and scales. */
function later(rows: readonly Trip[]): Trip[] {
  const cities: Record<string, string> = { Basel: 'Chur', Bern: 'Chur', Chur: 'Basel', Genf: 'Zug' }
  return rows.map((row, i) => ({
    ...row,
    kilometres: 1.5 * Number(row.kilometres),
    minutes: Number(row.minutes) + 4,
    city: i % 2 === 0 ? cities[String(row.city)] : row.city,
  }))
}

describe('candidatesFor', async () => {
  const rows = trips(1500, 1)
  const batch = batchOfRows(rows)
  const encoder = unanchored(batch)
  const plan = planMembers(encoder, encoder.encode(batch), 'real-nvp', 5)
  const { manifest } = await untrainedModel(batch)
  const predecessor: Predecessor = {
    version: 3,
    manifest: {
      ...manifest,
      members: manifest.members.map((member, m) => ({
        ...member,
        view: plan[m].view.spec,
        flow: plan[m].spec,
      })),
    },
    weights: plan.map(({ spec, seed }, m) =>
      spec === null ? new Map() : disturbed(initialWeights(spec, seed), m),
    ),
    encoder,
  }
  const flows = plan.flatMap(({ spec }, m) => (spec === null ? [] : [m]))

  function carried(m: number, now: readonly Trip[]) {
    const encoded = unanchored(batchOfRows([...now]))
    const member = planMembers(encoded, encoded.encode(batchOfRows([...now])), 'real-nvp', 6)[m]
    const candidates = candidatesFor(predecessor, m, member, encoded)
    if (typeof candidates === 'string') throw new Error(candidates)
    return { encoder: encoded, member, standing: candidates[0], rebased: candidates[1] }
  }

  it.each(flows)(
    'leave the density of raw records where it was: units, codes and levels are absorbed (%i)',
    (m) => {
      const { encoder: now, member, rebased } = carried(m, later(rows))
      const before = densities(encoder, plan[m], predecessor.weights[m], batch)
      const after = densities(now, member, rebased, batch)
      const bulk = [...after.keys()].filter((row) => before[row].bulk && after[row].bulk)
      expect(bulk.length).toBeGreaterThan(100)
      for (const row of bulk) expect(after[row].raw / before[row].raw).toBeCloseTo(1, 4)
    },
  )

  it.each(flows)(
    'follow a change of unit as they stand, in the tails and where values are missing too (%i)',
    (m) => {
      const miles = rows.map((row) => ({ ...row, kilometres: Number(row.kilometres) / 1.609344 }))
      const { encoder: now, member, standing } = carried(m, miles)
      const before = densities(encoder, plan[m], predecessor.weights[m], batch)
      const after = densities(now, member, standing, batchOfRows(miles))
      for (const row of after.keys()) expect(after[row].encoded).toBeCloseTo(before[row].encoded, 3)
    },
  )

  it('say why there is nothing to go on from', () => {
    const other = rows.map(({ minutes, ...row }) => ({ ...row, hours: Number(minutes) / 60 }))
    expect(() => carried(0, other)).toThrow(/it models .*hours.*; version 3 .*minutes/)
    const glow = planMembers(encoder, encoder.encode(batch), 'glow', 5)[0]
    expect(candidatesFor(predecessor, 0, glow, encoder)).toBe('version 3 is a flow of another shape')
    const [first] = plan
    expect(candidatesFor(predecessor, 9, first, encoder)).toBe('version 3 has no such flow')
  })
})

describe('leakOf', () => {
  const taught = (lineage: object): Predecessor =>
    ({
      version: 3,
      manifest: { lineage: { fit_until: day(10), stop_until: day(12), ...lineage } },
    }) as Predecessor
  const day = (d: number): string => new Date(d * 86_400_000).toISOString()
  const held = (stop: number, calibrate: number) => ({
    stop: stop * 86_400_000,
    calibrate: calibrate * 86_400_000,
  })

  it.each([
    ['', {}, true, held(10, 12)],
    ['do not come in the order', {}, false, held(11, 13)],
    ['learned records up to 1970-01-11', {}, true, held(9, 13)],
    ['learned records up to', {}, true, held(10, 11)],
    ['does not say until when', { fit_until: null }, true, held(11, 13)],
    ['labelled false alarms', { labelled: { anomalies: 0, false_alarms: 1 } }, true, held(11, 13)],
  ])('says "%s"', (why, lineage, ordered, heldOut) => {
    const leak = leakOf(taught(lineage), ordered, heldOut)
    if (why === '') expect(leak).toBe('')
    else expect(leak).toContain(why)
  })
})

describe('fitDetector with a model to go on from', () => {
  const timed = (from: number, count: number, change: (row: Trip) => Trip = (row) => row): RecordBatch => {
    const batch = batchOfRows(trips(count, 9 + from).map(change))
    return { ...batch, eventTime: Float64Array.from({ length: count }, (_, i) => (from + i) * 60_000) }
  }
  const fitted = (batch: RecordBatch, options: FitDetectorOptions = {}) =>
    fitDetector([batch], { effort: 0.03, backend: 'kernel', ...options })
  const start = (batch: RecordBatch, warmStart: FitDetectorOptions['warmStart']) =>
    fitted(batch, warmStart && { warmStart }).then(({ manifest }) => manifest.warm_start)

  it('says in the manifest what came of it, and makes the same model again', async () => {
    const { artifact, manifest } = await fitted(timed(0, 1500))
    expect(manifest.warm_start).toBeUndefined()
    const warmStart = { artifact, version: 7 }
    const warm = await fitted(timed(600, 1500), { warmStart })
    expect(warm.manifest.warm_start).toMatch(/^from version 7: 3 of 3 flows, held-out NLL at the start /)
    const again = await fitted(timed(600, 1500), { warmStart })
    expect(readArtifact(again.artifact).weights).toEqual(readArtifact(warm.artifact).weights)
    expect(
      await start(
        timed(600, 1500, ({ minutes: _, ...row }) => row),
        warmStart,
      ),
    ).toMatch(/^fresh: flow 1 afresh: it models/)
    expect(await start(timed(600, 60), warmStart)).toMatch(/^fresh: fewer than 1000 records/)
    expect(await start(timed(-900, 1500), warmStart)).toMatch(/^fresh: version 7 learned records up to/)
    expect(await start(batchOfRows(trips(1500, 2)), warmStart)).toMatch(/^fresh: the records do not come/)
  })
})
