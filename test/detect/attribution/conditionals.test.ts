import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FieldDensity, RecordDensities } from '../../../src/core/ports.ts'
import type { ScoredRecord } from '../../../src/core/scored.ts'
import { Detector } from '../../../src/detect/detector.ts'
import { writeArtifact } from '../../../src/detect/model-file/artifact.ts'
import { trips, untrainedModel } from '../untrained.ts'

let artifact: Uint8Array
let detector: Detector
beforeAll(async () => {
  artifact = writeArtifact(await untrainedModel())
  detector = await Detector.load(artifact, { workers: 0 })
})
afterAll(() => detector[Symbol.asyncDispose]())

const [base] = trips(1, 9)

async function flagged(changes: Record<string, unknown>, by = detector): Promise<ScoredRecord> {
  const [scored] = await by.score([{ ...base, ...changes }])
  expect(scored.is_anomaly).toBe(true)
  return JSON.parse(JSON.stringify(scored))
}

function of(densities: RecordDensities, field: string): FieldDensity {
  return densities.fields.find((one) => one.field === field)!
}

/** ∫ p(x) dx by trapezoids. */
function integral({ curve }: FieldDensity): number {
  const { x, log_density } = curve!
  let sum = 0
  for (let i = 1; i < x.length; i++)
    sum += ((x[i] - x[i - 1]) * (Math.exp(log_density[i]) + Math.exp(log_density[i - 1]))) / 2
  return sum
}

describe('the conditional densities of a stored record', () => {
  it('are those of the record that was scored: the same log p, surprises and ranges', async () => {
    for (const changes of [
      { kilometres: 4000 },
      { kilometres: 900, tip: 0 },
      { kilometres: 900, rating: null },
    ]) {
      const record = await flagged(changes)
      const found = await detector.densities(record)
      expect(found.assumed).toEqual([])
      expect(found.log_prob).toBeCloseTo(record.log_prob!, 6)
      for (const [i, field] of found.fields.entries()) expect(field).toMatchObject(record.attribution[i])
    }
  })

  it('sum up to 1 over the curve and the values that have a probability of their own', async () => {
    const found = await detector.densities(await flagged({ kilometres: 900 }))
    for (const field of found.fields) {
      const levels = field.levels.reduce((sum, { probability }) => sum + probability, 0)
      const curve = field.curve === null ? 0 : integral(field)
      expect(levels + curve, field.field).toBeGreaterThan(0.9)
      expect(levels + curve, field.field).toBeLessThan(1.01)
    }
  })

  it('hold the observed value, the expected one and the 95 % range within the curve', async () => {
    const found = await detector.densities(await flagged({ kilometres: 4000 }))
    const { curve, observed, expected, normal_low, normal_high } = of(found, 'kilometres')
    expect(observed).toBeCloseTo(4000, 6)
    expect(curve!.x.at(-1)).toBeGreaterThanOrEqual(observed!)
    expect(curve!.x[0]).toBeLessThanOrEqual(normal_low!)
    expect(curve!.x.every((x, i, all) => i === 0 || x > all[i - 1])).toBe(true)
    const at = (x: number) => curve!.log_density[curve!.x.findIndex((point) => point >= x)]
    expect(at(expected as number)).toBeGreaterThan(at(normal_high!))
    expect(at(normal_high!)).toBeGreaterThan(curve!.log_density.at(-1)!)
  })

  it('name the heaps and gaps of a number, the levels of a category, and a constant that changed', async () => {
    const found = await detector.densities(await flagged({ kilometres: 900, tip: 0, meter: 'v2' }))
    expect(of(found, 'tip').levels).toMatchObject([
      { value: 0, observed: true },
      { value: null, observed: false },
    ])
    expect(of(found, 'rating').levels).toMatchObject([{ value: null, observed: false }])
    expect(
      of(found, 'city')
        .levels.map(({ value }) => value)
        .sort(),
    ).toEqual(['Basel', 'Bern', 'Chur', 'Genf'])
    expect(of(found, 'city').curve).toBeNull()
    const [was, is] = of(found, 'meter').levels
    expect(was).toMatchObject({ value: 'v1', observed: false })
    expect(is).toMatchObject({ value: 'v2', observed: true })
    expect(is.probability).toBeLessThan(0.01)
  })

  it('show nothing of a masked field, and say that its value was assumed', async () => {
    await using masked = await Detector.load(artifact, { workers: 0, redact: ['city'] })
    const found = await masked.densities(await flagged({ kilometres: 4000 }, masked))
    expect(found.assumed).toEqual(['city'])
    expect(of(found, 'city')).toMatchObject({ value: null, expected: null, curve: null, levels: [] })
  })

  it('are the same from a pool of threads', async () => {
    await using pooled = await Detector.load(artifact, { workers: 1 })
    const record = await flagged({ kilometres: 4000 })
    expect(await pooled.densities(record)).toEqual(await detector.densities(record))
  })

  it('are refused for a record that was stored without its fields', async () => {
    const record = { ...(await flagged({ kilometres: 4000 })), attribution: [] }
    await expect(detector.densities(record)).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' })
  })
})
