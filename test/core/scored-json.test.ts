import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoTimes } from '../../src/core/iso-times.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { scoredJson } from '../../src/core/scored-json.ts'
import { scoredRecord } from '../../src/core/scored-record.ts'

const number = fc.double()
const row = fc.record({
  time: fc.oneof(number, fc.integer({ min: -1e13, max: 1e13 }), fc.integer({ min: 0, max: 5000 })),
  entity: fc.option(fc.string({ unit: 'binary' })),
  logProb: number,
  score: number,
  pValue: fc.double({ min: 0, max: 1 }),
  pMethod: fc.constantFrom(0, 1),
  verdict: fc.constantFrom(0, 0, 0, 1, 2),
  reason: fc.option(fc.string()),
})
const batch = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 8 }),
  topic: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
  first: fc.maxSafeNat(),
  runId: fc.option(fc.string(), { nil: undefined }),
  timed: fc.boolean(),
})

type Settings = typeof batch extends fc.Arbitrary<infer T> ? T : never

function scoredOf({ rows, topic, first, runId, timed }: Settings): ScoredBatch {
  const floats = (key: 'logProb' | 'score' | 'pValue' | 'time') => Float64Array.from(rows, (one) => one[key])
  return {
    batch: {
      rows: rows.length,
      columns: new Map(),
      origin: {
        prefix: `${topic ?? 'a "file"'}-3`,
        offsets: { first },
        ...(topic && { topic, partition: 3 }),
      },
      ...(timed && { eventTime: floats('time'), entity: rows.map(({ entity }) => entity) }),
    },
    pipeline: 'p"1',
    modelVersion: 7,
    scoredAt: 1_700_000_000_123,
    threshold: 0.001,
    logProb: floats('logProb'),
    score: floats('score'),
    pValue: floats('pValue'),
    pMethod: Uint8Array.from(rows, ({ pMethod }) => pMethod),
    verdict: Uint8Array.from(rows, ({ verdict }) => verdict),
    reasons: new Map(rows.flatMap(({ reason }, i) => (reason === null ? [] : [[i, [reason]] as const]))),
    attributions: new Map(),
    ...(runId !== undefined && { runId }),
  }
}

describe('scoredJson', () => {
  it('is the wire record as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(batch, (settings) => {
        const scored = scoredOf(settings)
        const json = scoredJson(scored)
        for (let i = 0; i < settings.rows.length; i++)
          expect(json(i)).toBe(JSON.stringify(scoredRecord(scored, i)))
      }),
    )
  })
})

describe('isoTimes', () => {
  it('writes what Date writes, from one second to the next and back', () => {
    const text = isoTimes()
    const times = [0, 1, 999, 1000, 999, -1, -999, -1000, -1001, 1.9, -1.9, 253402300800000, -62198755200000]
    for (const time of times) expect(text(time)).toBe(new Date(time).toISOString())
    for (const none of [undefined, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1])
      expect(text(none)).toBeNull()
  })
})
