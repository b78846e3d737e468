import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { chiSquareTail, normalTail } from '../../src/detect/drift/chi-square.ts'
import { DRIFT, type DriftLook, DriftMonitor, P_VALUE } from '../../src/detect/drift/drift-monitor.ts'
import { driftReference, pValueDesignEffect } from '../../src/detect/drift/drift-reference.ts'

const MINUTE = 60_000
const draw = random(11)

/** Records one a second: an AR(1) temperature, a load, a category, a clock. */
function stream(phi: number, change: { load?: number; city?: string } = {}, start = 0) {
  let level = 0
  let clock = start
  return (rows: number): RecordBatch => {
    const times = Float64Array.from({ length: rows }, (_, i) => clock + i * 1000)
    clock += rows * 1000
    const records = Array.from(times, (time) => {
      level = phi * level + Math.sqrt(1 - phi * phi) * draw.normal()
      return {
        temperature: level,
        load: draw.normal() + (change.load ?? 0),
        city: change.city && draw.uniform() < 0.5 ? change.city : draw.uniform() < 0.7 ? 'Bern' : 'Rome',
        at: new Date(time),
      }
    })
    return batchOfRows(records, undefined, { eventTime: times })
  }
}

function scored(batch: RecordBatch, p: () => number = draw.uniform): ScoredBatch {
  const empty = new Float64Array(batch.rows)
  return {
    batch,
    pipeline: 'weather',
    modelVersion: 1,
    scoredAt: 0,
    threshold: 0.001,
    logProb: empty,
    score: empty,
    pValue: Float64Array.from(empty, p),
    pMethod: new Uint8Array(batch.rows),
    verdict: new Uint8Array(batch.rows),
    reasons: new Map(),
    attributions: new Map(),
  }
}

function looks(
  monitor: DriftMonitor,
  next: (rows: number) => RecordBatch,
  count: number,
  p?: () => number,
): DriftLook[] {
  const found: DriftLook[] = []
  while (found.length < count) {
    const look = monitor.observe(scored(next(500), p))
    if (look !== undefined) found.push(look)
  }
  return found
}

const training = (phi: number): RecordBatch[] => {
  const next = stream(phi)
  return Array.from({ length: 40 }, () => next(1000))
}

const NAMES = ['temperature', 'load', 'city', 'at']

describe('drift', () => {
  const reference = driftReference(training(0.95), NAMES)

  it('learns fields but not the clock, and that autocorrelated fields vary more', () => {
    expect(reference.fields.map((f) => f.field)).toEqual(['temperature', 'load', 'city'])
    const [temperature, load] = reference.fields
    expect(load.designEffect).toBeLessThan(1.3)
    expect(temperature.designEffect).toBeGreaterThan(3)
    for (const { shares } of reference.fields) {
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
      expect(Math.min(...shares)).toBeGreaterThan(0)
    }
  })

  it('survives JSON', () => {
    expect(JSON.parse(JSON.stringify(reference))).toEqual(reference)
  })

  it.each([
    ['load', { load: 1 }],
    ['city', { city: 'Oslo' }],
  ])('names the field that drifted: %s', (field, change) => {
    const monitor = new DriftMonitor(reference)
    const [first, second] = looks(monitor, stream(0.95, change), 2)
    expect(first.fields[0]).toMatchObject({ field, drifted: true })
    expect(first.triggered).toEqual([])
    expect(second.triggered).toEqual([field])
    expect(second.records).toBe(reference.block)
    expect(second.to - second.from).toBeGreaterThan(15 * MINUTE)
  })

  it('sees p-values that are no longer uniform', () => {
    const monitor = new DriftMonitor(reference)
    const [, second] = looks(monitor, stream(0.95), 2, () => draw.uniform() ** 2)
    expect(second.triggered).toContain(P_VALUE)
  })

  it('knows how much p-values vary by themselves: few calibration records, days that differ', () => {
    const independent = (n: number) => Float64Array.from({ length: n }, draw.normal)
    expect(pValueDesignEffect(independent(40_000), 1000)).toBeLessThan(1.3)
    expect(pValueDesignEffect(independent(400), 200)).toBeGreaterThan(1.4)
    const days = independent(40_000).map((value, i) => value + ((i / 1000) % 2 < 1 ? 0.5 : -0.5))
    expect(pValueDesignEffect(days, 1000)).toBeGreaterThan(5)
  })

  it('leaves the p-values of a small calibration set alone', () => {
    const n = 400
    const block = 200
    const cuts = Float64Array.from({ length: n }, draw.uniform).sort()
    const monitor = new DriftMonitor({
      block,
      stride: 1,
      fields: [],
      pValueDesignEffect: pValueDesignEffect(cuts.map(draw.normal), block),
    })
    const found = looks(monitor, stream(0), 100, () => {
      const at = draw.uniform()
      return (1 + cuts.filter((cut) => cut >= at).length) / (n + 1)
    })
    expect(found.filter((look) => look.triggered.length > 0)).toEqual([])
  })

  it('takes every stride-th record where the reference is a sample', () => {
    const sampled = new DriftMonitor({ ...reference, stride: 4 })
    const [look] = looks(sampled, stream(0.95), 1)
    expect(look.records).toBe(reference.block)
    expect(look.to - look.from).toBeGreaterThan(4 * 15 * MINUTE)
  })

  it('takes a field that disappears for a drift of that field', () => {
    const monitor = new DriftMonitor(reference)
    const next = stream(0.95)
    const without = (rows: number): RecordBatch => {
      const batch = next(rows)
      return { ...batch, columns: new Map([...batch.columns].filter(([name]) => name !== 'load')) }
    }
    expect(looks(monitor, without, 2)[1].triggered).toEqual(['load'])
  })

  it('leaves an unchanged autocorrelated stream alone over 200 looks', () => {
    const monitor = new DriftMonitor(reference, { ...DRIFT, minimumEffect: 0 })
    const found = looks(monitor, stream(0.95), 200)
    expect(found.filter((look) => look.triggered.length > 0)).toEqual([])
  })

  it('stays silent about a change too small to matter, however many records show it', () => {
    const wide = driftReference(training(0.95), NAMES, { block: 10_000 })
    const monitor = new DriftMonitor(wide)
    const [, second] = looks(monitor, stream(0.95, { load: 0.08 }), 2)
    expect(second.fields.find((f) => f.field === 'load')!.effect).toBeLessThan(0.1)
    expect(second.triggered).toEqual([])
  })
})

describe('tails', () => {
  it.each([
    [0, 0.5],
    [1, 0.15865525],
    [3.5, 2.3262907e-4],
    [6, 9.865876e-10],
    [-2, 0.97724987],
  ])('normalTail(%d) = %d', (z, p) => {
    expect(normalTail(z) / p).toBeCloseTo(1, 5)
  })

  it.each([
    [3.841459, 1, 0.05],
    [18.307038, 10, 0.05],
    [45.075, 16, 1.4e-4],
    [0, 4, 1],
  ])('chiSquareTail(%d, %d) ≈ %d', (x, degrees, p) => {
    expect(chiSquareTail(x, degrees) / p).toBeGreaterThan(0.9)
    expect(chiSquareTail(x, degrees) / p).toBeLessThan(1.15)
  })
})
