import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../../src/core/scored.ts'
import { sliceBatch } from '../../src/core/slice-batch.ts'
import { Detector } from '../../src/detect/detector.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'
import { scoreBatches } from '../../src/detect/score-stream.ts'

type Reading = {
  readonly at: Date
  readonly host: string
  readonly cpu: number
  readonly io: number
}

/** Two hosts, every minute; the load wanders slowly, so that a jump within its range is what gives a fault away. */
function readings(minutes: number, seed: number): Reading[] {
  const draw = random(seed)
  const load = [0, 0]
  return Array.from({ length: 2 * minutes }, (_, i) => {
    const h = i % 2
    load[h] = 0.98 * load[h] + 0.2 * draw.normal()
    return { at: new Date((i >> 1) * 60_000 + h * 1000), host: 'ab'[h], cpu: load[h], io: draw.normal() }
  })
}

async function* cut(batch: RecordBatch, size: number): AsyncGenerator<RecordBatch> {
  for (let from = 0; from < batch.rows; from += size)
    yield sliceBatch(batch, from, Math.min(batch.rows, from + size))
}

async function scored(detector: Detector, batch: RecordBatch, size: number): Promise<ScoredBatch[]> {
  const parts: ScoredBatch[] = []
  for await (const part of scoreBatches(detector, cut(batch, size))) parts.push(part)
  return parts
}

describe('a model that looks back', () => {
  let detector: Detector
  beforeAll(async () => {
    const { artifact } = await fitDetector([batchOfRows(readings(1500, 1))], {
      windows: { fields: [{ field: 'cpu', differences: [1] }] },
      entity: 'host',
      effort: 0.3,
      rate: 0.01,
    })
    detector = await Detector.load(artifact, { workers: 0, redact: ['cpu'], explainPerSecond: Infinity })
  }, 60_000)
  afterAll(() => detector[Symbol.asyncDispose]())

  it('says so in its manifest, and what its columns are', () => {
    expect(detector.manifest.windows).toEqual({
      fields: [{ field: 'cpu', differences: [1] }],
      clock: true,
      time: 'at',
      entity: 'host',
    })
    const roles = new Map(detector.manifest.fields.map(({ field, role }) => [field, role]))
    expect(roles.get('cpu − cpu[1]')).toBe('modelled')
    expect(roles.get('at − clock')).toBe('watched')
    expect(detector.manifest.drift.fields.map(({ field }) => field)).not.toContain('cpu − cpu[1]')
  })

  it('scores a file as it scores the stream, in batches of any size', async () => {
    const batch = batchOfRows(readings(100, 2))
    const whole = await detector.score(batch)
    for (const size of [8, 56, 200]) {
      const parts = await scored(detector, batch, size)
      expect(parts.flatMap(({ score }) => [...score])).toEqual([...whole.score])
      expect(parts.every(({ batch: { columns } }) => [...columns.keys()].join() === 'at,host,cpu,io')).toBe(
        true,
      )
    }
  })

  it('judges the first records of a stream by what is known of them', async () => {
    const { verdict } = await detector.score(
      batchOfRows(readings(2, 3).map((r) => ({ ...r, cpu: 0.1, io: 0 }))),
    )
    expect([...verdict]).not.toContain(UNSCORED)
    expect([...verdict]).not.toContain(ANOMALY)
  })

  it('finds a jump within the usual range and a shifted clock, and blames the look-back; masks what is derived', async () => {
    const records = readings(100, 4)
    records[150] = { ...records[150], cpu: records[150].cpu + (records[150].cpu > 0 ? -2.5 : 2.5) }
    records[101] = { ...records[101], at: new Date(records[101].at.getTime() - 3_600_000) }
    const { verdict, attributions, reasons } = await detector.score(batchOfRows(records))
    expect([verdict[150], verdict[101]]).toEqual([ANOMALY, ANOMALY])
    expect(attributions.get(101)?.[0].field).toBe('at − clock')
    expect(reasons.get(101)?.join()).toMatch(/at − clock: was always 0, is -3/)
    const jump = attributions.get(150)
    expect(jump?.slice(0, 2).map(({ field }) => field)).toContain('cpu − cpu[1]')
    expect(jump?.filter(({ field }) => field.startsWith('cpu')).map(({ value }) => value)).toEqual([
      null,
      null,
    ])
  })

  it('leaves the clock out where the records do not come in order, and says why', async () => {
    const inOrder = readings(300, 6)
    const shuffled = [...random(5).shuffle(Array.from(inOrder.keys()))].map((i) => inOrder[i])
    const { manifest } = await fitDetector([batchOfRows(shuffled)], { effort: 0.05 })
    expect(manifest.windows).toBeUndefined()
    expect(manifest.fields.find(({ field }) => field === 'at − clock')).toMatchObject({
      role: 'ignored',
      why: 'the records do not come in the order of their times',
    })
  }, 60_000)
})
