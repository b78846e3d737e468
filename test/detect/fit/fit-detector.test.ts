import { describe, expect, it } from 'vitest'
import type { RetrainProgress } from '../../../src/core/ports.ts'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../../src/core/record.ts'
import { ANOMALY, type ScoredBatch } from '../../../src/core/scored.ts'
import { Detector, type DetectorOptions } from '../../../src/detect/detector.ts'
import { type FitDetectorOptions, fitDetector } from '../../../src/detect/fit/fit-detector.ts'
import { readArtifact } from '../../../src/detect/model-file/artifact.ts'
import { trips } from '../untrained.ts'

const OPTIONS = { pipeline: 'trips', explain: true }

async function fitted(
  batches: readonly RecordBatch[],
  fit: FitDetectorOptions = {},
  load: DetectorOptions = {},
): Promise<Detector> {
  const { artifact } = await fitDetector(batches, { effort: 0.1, ...fit })
  return Detector.load(artifact, { workers: 0, ...load })
}
const flagged = ({ verdict }: ScoredBatch) => [...verdict.keys()].filter((row) => verdict[row] === ANOMALY)

/** Distance and duration that go together, in kilometres or miles. */
function flights(rows: number, seed: number, unit = 1): RecordBatch {
  const r = random(seed)
  return batchOfRows(
    Array.from({ length: rows }, () => {
      const distance = 200 + 2000 * r.uniform()
      return {
        distance: distance * unit,
        minutes: distance / 10 + 10 * r.normal(),
        cabin: 'ABC'[r.integer(3)],
      }
    }),
  )
}

describe('fitDetector', () => {
  it('flags normal records at the rate it was given, and impossible ones, naming the field', async () => {
    await using detector = await fitted([flights(3000, 1)], { rate: 0.05, effort: 0.3 })
    const scored = await detector.score(flights(4000, 2), OPTIONS)
    const share = flagged(scored).length / 4000
    // 600 calibration records: the 95 % beta-binomial interval around 5 %.
    expect(share).toBeGreaterThan(0.031)
    expect(share).toBeLessThan(0.071)
    const odd = await detector.score([
      { distance: 1000, minutes: 300, cabin: 'A' },
      { distance: 1000, minutes: 100, cabin: 'Z' },
      { distance: 9000, minutes: 100, cabin: 'B' },
    ])
    expect(odd.map(({ verdict }) => verdict)).toEqual(['anomaly', 'anomaly', 'anomaly'])
    expect(odd[1].attribution[0].field).toBe('cabin')
    expect(odd[2].attribution[0].field).toBe('distance')
    expect(
      Math.abs((odd[0].attribution.find(({ field }) => field === 'minutes')?.expected as number) - 100),
    ).toBeLessThan(15)
    expect(detector.manifest).toMatchObject({
      engine: 'kernel',
      calibration: { method: 'split', records: 600 },
      lineage: { records: 3000, parts: { fit: 1800, stop: 300, calibrate: 600, gate: 300 } },
    })
    expect(Math.abs(detector.manifest.metrics.gate_rate! - 0.05)).toBeLessThan(0.05)
  })

  it('is unit-free: kilometres instead of miles change no p-value, and log_prob by the log of the unit', async () => {
    await using miles = await fitted([flights(1200, 3)])
    await using kilometres = await fitted([flights(1200, 3, 1.609344)])
    const a = await miles.score(flights(500, 4), OPTIONS)
    const b = await kilometres.score(flights(500, 4, 1.609344), OPTIONS)
    for (let row = 0; row < 500; row++) {
      expect(Math.abs(b.score[row] - a.score[row])).toBeLessThan(0.02 * Math.max(1, a.score[row]))
      expect(b.logProb[row] - a.logProb[row]).toBeCloseTo(-Math.log(1.609344), 1)
    }
  })

  it('gives the same model for the same seed, and another for another', async () => {
    const weights = async (seed: number) => {
      const { artifact } = await fitDetector([flights(1000, 5)], { seed, effort: 0.05 })
      return readArtifact(artifact).weights.flatMap((tensors) =>
        [...tensors.values()].flatMap(({ data }) => [data[0]]),
      )
    }
    const [one, again, other] = [await weights(1), await weights(1), await weights(2)]
    expect(again).toEqual(one)
    expect(other).not.toEqual(one)
  })

  it('learns from few records by cross-conformal folds', async () => {
    await using detector = await fitted([flights(120, 6)], { rate: 0.1 })
    expect(detector.manifest.calibration).toMatchObject({ method: 'cross-conformal', records: 120 })
    const share = flagged(await detector.score(flights(2000, 7), OPTIONS)).length / 2000
    expect(share).toBeGreaterThan(0.02)
    expect(share).toBeLessThan(0.2)
    expect((await detector.score([{ distance: 1000, minutes: 400, cabin: 'A' }]))[0].verdict).toBe('anomaly')
  })

  it('does not take a stated share of contamination for normal', async () => {
    const r = random(8)
    const dirty = batchOfRows(
      Array.from({ length: 2000 }, (_, i) =>
        i % 20 === 0 ? { x: 8 + 0.3 * r.normal(), y: -8 } : { x: r.normal(), y: r.normal() },
      ),
    )
    const odd = [{ x: 8, y: -8 }]
    await using naive = await fitted([dirty], { rate: 0.01 })
    await using warned = await fitted([dirty], { rate: 0.01, contamination: 0.06 })
    expect((await naive.score(odd))[0].verdict).toBe('normal')
    expect((await warned.score(odd))[0].verdict).toBe('anomaly')
  })

  it('fits Glow where asked', async () => {
    await using detector = await fitted([batchOfRows(trips(1000, 9))], { flow: 'glow', rate: 0.01 })
    expect(detector.manifest.architecture).toBe('glow')
    expect(detector.manifest.members[0].flow?.bijectors.map(({ kind }) => kind)).toContain('lu-linear')
    const [odd] = await detector.score([{ ...trips(1, 1)[0], kilometres: 20, minutes: 400 }])
    expect(odd.verdict).toBe('anomaly')
  })

  it('learns data without a number, and data of one column', async () => {
    const r = random(10)
    const letters = batchOfRows(
      Array.from({ length: 1500 }, () => ({ a: 'xyz'[r.integer(3)], b: r.uniform() < 0.5 })),
    )
    await using discrete = await fitted([letters], { rate: 0.01 })
    expect(discrete.manifest.members.map(({ flow }) => flow)).toEqual([null])
    expect((await discrete.score([{ a: 'q', b: true }]))[0].verdict).toBe('anomaly')
    await using single = await fitted(
      [batchOfRows(Array.from({ length: 1000 }, () => ({ v: r.normal() })))],
      { rate: 0.01 },
    )
    expect((await single.score([{ v: 0 }, { v: 12 }])).map(({ verdict }) => verdict)).toEqual([
      'normal',
      'anomaly',
    ])
  })

  it('turns a budget into a rate by the volume of the data', async () => {
    const timed = {
      ...flights(1440, 11),
      eventTime: Float64Array.from({ length: 1440 }, (_, i) => i * 120_000),
    }
    const { manifest } = await fitDetector([timed], { budget: '7/day', effort: 0.05 })
    expect(manifest.alerts.rate).toBeCloseTo(0.0097, 3)
    expect(manifest.lineage.first_time).toBe('1970-01-01T00:00:00.000Z')
  })

  it('says when the newest records are no longer what the earlier ones were', async () => {
    const r = random(16)
    const rising = (slope: number) => ({
      ...batchOfRows(Array.from({ length: 1200 }, (_, i) => ({ level: slope * i + r.normal() }))),
      eventTime: Float64Array.from({ length: 1200 }, (_, i) => i * 60_000),
    })
    const notes = async (slope: number) =>
      (await fitDetector([rising(slope)], { rate: 0.01, effort: 0.05 })).manifest.notes.join()
    expect(await notes(0.1)).toMatch(/of the newest 120 records.*flagged where 1 % was asked for/)
    expect(await notes(0)).toBe('')
  })

  it('tells how far it is, and stops when asked', async () => {
    const seen: RetrainProgress[] = []
    const stop = new AbortController()
    const fit = fitDetector([flights(1000, 12)], {
      signal: stop.signal,
      onProgress: (progress) => {
        seen.push(progress)
        if (progress.stage === 'fit' && progress.step! > 50) stop.abort()
      },
    })
    await expect(fit).rejects.toThrowError(expect.objectContaining({ code: 'ABORTED' }))
    expect(seen[0].stage).toBe('collect')
    expect(seen.at(-1)).toMatchObject({
      stage: 'fit',
      steps: expect.any(Number),
      train_nll: expect.any(Number),
    })
  })

  it.each<[string, readonly RecordBatch[], FitDetectorOptions, string, RegExp]>([
    ['no records', [], {}, 'DATA_INSUFFICIENT', /0 records.*at least 20/],
    ['one record', [flights(1, 1)], {}, 'DATA_INSUFFICIENT', /1 records/],
    ['nineteen records', [flights(19, 1)], {}, 'DATA_INSUFFICIENT', /19 records/],
    ['one distinct value', [batchOfRows(new Array(500).fill({ v: 3 }))], {}, 'DATA_INSUFFICIENT', /always 3/],
    [
      'nothing but gaps',
      [batchOfRows(new Array(500).fill({ v: null }))],
      {},
      'DATA_INSUFFICIENT',
      /missing in all/,
    ],
    ['an unknown column ignored', [flights(500, 1)], { ignore: ['nope'] }, 'SCHEMA_MISMATCH', /"nope"/],
    ['a foolish contamination', [flights(500, 1)], { contamination: 0.9 }, 'USAGE', /0\.9/],
    ['a foolish effort', [flights(500, 1)], { effort: 0 }, 'USAGE', /effort is 0/],
    ['a foolish seed', [flights(500, 1)], { seed: 0.5 }, 'USAGE', /seed/],
    ['a budget without times', [flights(500, 1)], { budget: '3/day' }, 'USAGE', /no event time/],
  ])('refuses %s', async (_, batches, options, code, message) => {
    await expect(fitDetector(batches, options)).rejects.toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })
})
