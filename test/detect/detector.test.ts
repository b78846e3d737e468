import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import type { ScoredBatch, ScoredRecord } from '../../src/core/scored.ts'
import { ANOMALY, NORMAL, UNSCORED } from '../../src/core/scored.ts'
import { Detector } from '../../src/detect/detector.ts'
import { writeArtifact } from '../../src/detect/model-file/artifact.ts'
import type { SuppressionRule } from '../../src/detect/rules/suppression.ts'
import { scoreBatches, scoreStream } from '../../src/detect/score-stream.ts'
import { trips, untrainedModel } from './untrained.ts'

let artifact: Uint8Array
let here: Detector
let pooled: Detector
beforeAll(async () => {
  artifact = writeArtifact(await untrainedModel())
  here = await Detector.load(artifact, { workers: 0, explainPerSecond: Number.POSITIVE_INFINITY })
  pooled = await Detector.load(artifact, { workers: 2, explainPerSecond: Number.POSITIVE_INFINITY })
})
afterAll(async () => {
  await here[Symbol.asyncDispose]()
  await pooled[Symbol.asyncDispose]()
})

const OPTIONS = { pipeline: 'trips', explain: true }
const records = trips(300, 9)
const odd: Record<string, unknown>[] = [
  { ...records[0], kilometres: 4000 },
  { ...records[1], meter: 'v2' },
  { ...records[2], minutes: 'soon' },
  { ...records[3], kilometres: Number.NaN },
  { ...records[4], city: 'Atlantis' },
  { ...records[5], kilometres: 1e308 },
]

describe('a detector', () => {
  it('gives every row a verdict, with why for those that have none', async () => {
    const scored = await here.score(batchOfRows([...records, ...odd]), OPTIONS)
    const at = records.length
    expect([...scored.verdict.subarray(at)]).toEqual([
      ANOMALY,
      ANOMALY,
      UNSCORED,
      UNSCORED,
      expect.any(Number),
      ANOMALY,
    ])
    expect(scored.reasons.get(at + 1)?.[0]).toMatch(/^meter: was always 'v1'/)
    expect(scored.reasons.get(at + 2)?.[0]).toMatch(/^minutes: 'soon'/)
    expect(scored.reasons.get(at + 4)?.[0]).toMatch(/^city: 'Atlantis'/)
    for (let row = 0; row < scored.batch.rows; row++) {
      const known = scored.verdict[row] !== UNSCORED
      for (const column of [scored.logProb, scored.score, scored.pValue])
        expect(Number.isFinite(column[row])).toBe(known)
      expect(scored.attributions.has(row)).toBe(scored.verdict[row] === ANOMALY)
      if (scored.verdict[row] === NORMAL) expect(scored.pValue[row]).toBeGreaterThan(here.rate)
    }
  })

  it('marks what rules suppress, and changes neither scores nor verdicts by it', async () => {
    const suppress: SuppressionRule[] = [
      { name: 'far trips', where: { kilometres: { above: 1000 } }, direction: 'up' },
      { name: 'new meters', where: { meter: 'v2' } },
    ]
    await using told = await Detector.load(artifact, { workers: 0, suppress })
    const batch = batchOfRows([...records, ...odd])
    const [with_, without] = [await told.score(batch, OPTIONS), await here.score(batch, OPTIONS)]
    expect(with_.suppressed?.get(records.length)).toBe('far trips')
    expect(with_.suppressed?.get(records.length + 1)).toBe('new meters')
    expect(with_.suppressed?.has(records.length + 2)).toBe(false)
    expect(with_.verdict).toEqual(without.verdict)
    expect(with_.score).toEqual(without.score)
    expect(without.suppressed).toBeUndefined()
    const [record] = await told.score([odd[1]])
    expect(record).toMatchObject({ verdict: 'anomaly', is_anomaly: true, suppressed: 'new meters' })
  })

  it('blames the field that is wrong', async () => {
    const scored = await here.score(batchOfRows(odd), OPTIONS)
    expect(scored.attributions.get(0)?.[0]).toMatchObject({ field: 'kilometres', value: 4000 })
    expect(scored.attributions.get(1)?.[0]).toMatchObject({ field: 'meter', value: 'v2', expected: 'v1' })
    const fields = scored.attributions.get(0)!.map(({ field }) => field)
    expect([...fields].sort()).toEqual(['city', 'kilometres', 'minutes', 'rating', 'seats', 'tip'])
  })

  it('gives the same results in this thread and in any number of others', async () => {
    const batch = batchOfRows([...trips(17_000, 4), ...odd])
    const [a, b] = await Promise.all([here.score(batch, OPTIONS), pooled.score(batch, OPTIONS)])
    for (const column of ['logProb', 'score', 'pValue', 'pMethod', 'verdict'] as const)
      expect(Buffer.from(b[column].buffer).equals(Buffer.from(a[column].buffer)), column).toBe(true)
    expect([...b.reasons]).toEqual([...a.reasons])
    expect([...b.attributions]).toEqual([...a.attributions])
  })

  it('gives a row the same result whatever batch it comes in', async () => {
    const whole = await here.score(batchOfRows(records), OPTIONS)
    const [alone] = await here.score([records[17]])
    expect([alone.log_prob, alone.score]).toEqual([whole.logProb[17], whole.score[17]])
  })

  it('carries version, pipeline, rate and run', async () => {
    await using detector = await Detector.load(artifact, { workers: 0, modelVersion: 7, rate: 0.02 })
    const { modelVersion, pipeline, threshold, runId } = await detector.score(batchOfRows(records), {
      ...OPTIONS,
      runId: 'backtest',
    })
    expect({ modelVersion, pipeline, threshold, runId }).toEqual({
      modelVersion: 7,
      pipeline: 'trips',
      threshold: 0.02,
      runId: 'backtest',
    })
  })

  it('flags more at a higher rate, with the same p-values', async () => {
    await using loose = here.withRate(0.3)
    const batch = batchOfRows(records)
    const [strict, more] = await Promise.all([here.score(batch, OPTIONS), loose.score(batch, OPTIONS)])
    expect(more.pValue).toEqual(strict.pValue)
    const flagged = (s: ScoredBatch) => s.verdict.filter((v) => v === ANOMALY).length
    expect(flagged(more)).toBeGreaterThan(flagged(strict))
  })

  it('explains no more than it may in an alarm storm, the most surprising first', async () => {
    await using bounded = await Detector.load(artifact, { workers: 0, explainPerSecond: 3, rate: 0.4 })
    const scored = await bounded.score(batchOfRows(trips(200, 6)), OPTIONS)
    expect(scored.attributions.size).toBe(3)
    const least = Math.min(...[...scored.attributions.keys()].map((row) => scored.score[row]))
    expect([...scored.score].filter((s) => s > least)).toHaveLength(2)
  })

  it('masks redacted fields in attributions and reasons', async () => {
    await using discreet = await Detector.load(artifact, {
      workers: 0,
      redact: ['kilometres', 'meter', 'minutes'],
    })
    const scored = await discreet.score(batchOfRows(odd), OPTIONS)
    const [first] = scored.attributions.get(0)!
    expect(first).toMatchObject({ field: 'kilometres', value: null, expected: null, normal_low: null })
    expect(scored.reasons.get(1)).toEqual(['meter: (redacted)'])
    expect(scored.reasons.get(2)).toEqual(['minutes: (redacted)'])
  })

  it('says which column is missing, from a thread too', async () => {
    const { city: _, ...without } = records[0]
    for (const detector of [here, pooled]) {
      await expect(detector.score([without])).rejects.toThrowError(
        expect.objectContaining({ code: 'SCHEMA_MISMATCH', message: expect.stringContaining('"city"') }),
      )
    }
  })

  it('survives values that cannot change threads', async () => {
    const [scored] = await pooled.score([{ ...records[0], minutes: () => 3 }, records[1]])
    expect(scored.verdict).toBe('unscored')
  })

  it('scores an empty batch', async () => {
    const batch: RecordBatch = batchOfRows(records)
    const empty = { ...batch, rows: 0, columns: new Map([...batch.columns]) }
    expect((await here.score(empty, OPTIONS)).verdict).toHaveLength(0)
    expect(await here.score([])).toEqual([])
  })

  it.each([
    [{ rate: 0 }, /rate is 0/],
    [{ workers: -1 }, /workers is -1/],
  ])('refuses %j', async (options, message) => {
    await expect(Detector.load(artifact, options)).rejects.toThrowError(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }),
    )
  })

  it('finds the change that would make a record normal', async () => {
    const changes = await pooled.nearestNormal(odd[0] as Record<string, unknown>)
    const change = changes.find(({ field }) => field === 'kilometres')
    expect(change).toBeDefined()
    const [repaired] = await here.score([{ ...odd[0], kilometres: change!.value }])
    expect(repaired.verdict).toBe('normal')
    const [first, second] = await here.nearestNormal(batchOfRows([odd[0], odd[4]]))
    expect(first).toEqual(changes)
    await using masked = await Detector.load(artifact, { workers: 0, redact: ['kilometres'] })
    const shown = await masked.nearestNormal(odd[0] as Record<string, unknown>)
    expect(shown.map(({ field }) => field)).not.toContain('kilometres')
    // A city that was never there: one that was.
    const city = second.find(({ field }) => field === 'city')
    if (city !== undefined) expect(['Basel', 'Bern', 'Chur', 'Genf']).toContain(city.value)
  })
})

describe('streams of records', () => {
  const ids = (scored: readonly ScoredRecord[]) => scored.map(({ id }) => id)

  it('come out of a transform in order and complete', async () => {
    const out: ScoredRecord[] = []
    await pipeline(
      Readable.from(trips(2500, 2)),
      pooled.transform({ batchSize: 300, prefix: 'r' }),
      async (scored) => {
        for await (const record of scored) out.push(record)
      },
    )
    expect(ids(out)).toEqual(Array.from({ length: 2500 }, (_, i) => `r-${i}`))
  })

  it('are scored as lists are', async () => {
    const out: ScoredRecord[] = []
    for await (const record of scoreStream(here, records, { batchSize: 64 })) out.push(record)
    const listed = await here.score(records)
    expect(out.map(({ score }) => score)).toEqual(listed.map(({ score }) => score))
  })

  it('may be batches, pipelined in order', async () => {
    async function* batches() {
      for (let i = 0; i < 8; i++)
        yield batchOfRows(trips(i % 3 === 0 ? 900 : 10, i), { prefix: `b${i}`, offsets: { first: 0 } })
    }
    const seen: string[] = []
    for await (const { batch } of scoreBatches(pooled, batches(), { inFlight: 3 }))
      seen.push(batch.origin.prefix)
    expect(seen).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'])
  })

  it('fail with the error of the detector', async () => {
    const broken = pipeline(Readable.from([{ nothing: 1 }]), here.transform(), async (scored) => {
      for await (const _ of scored);
    })
    await expect(broken).rejects.toThrowError(expect.objectContaining({ code: 'SCHEMA_MISMATCH' }))
  })
})
