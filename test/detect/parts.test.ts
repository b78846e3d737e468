import { describe, expect, it } from 'vitest'
import { batchOfRows } from '../../src/core/record.ts'
import { TokenBucket } from '../../src/detect/attribution/token-bucket.ts'
import { fitTail, logTail } from '../../src/detect/calibration/tail.ts'
import { placeOf } from '../../src/detect/calibration/tie.ts'
import { combine, standardOf } from '../../src/detect/combination.ts'
import { StreamTimes } from '../../src/detect/entities/stream-times.ts'
import { redactReasons } from '../../src/detect/rules/redaction.ts'
import { buffersOf, wireBatch } from '../../src/detect/threads/wire.ts'
import { quantile } from '../../src/features/columns/scaling.ts'

describe('combination', () => {
  it('adds up standardised densities, tamed, and novelty as it is', () => {
    const [s] = combine(
      [Float64Array.of(-10), Float64Array.of(3)],
      [
        { median: -2, iqr: 4 },
        { median: 3, iqr: 1 },
      ],
      Float64Array.of(5),
    )
    expect(s).toBeCloseTo(5 + Math.asinh(2), 12)
  })
  it('standardises by quartiles, and by 1 where all are alike', () => {
    expect(standardOf([4, 0, 1, 2, 3])).toEqual({ median: 2, iqr: 2 })
    expect(standardOf([7, 7, 7])).toEqual({ median: 7, iqr: 1 })
    expect(quantile([0, 10], 0.25)).toBe(2.5)
  })
})

describe('a tail', () => {
  it.each([
    [0, 2],
    [0.3, 1],
    [-0.3, 1],
  ])('recovers shape %s and scale %s from 5000 quantiles', (shape, scale) => {
    const excess = (p: number) => (shape === 0 ? -scale * Math.log(p) : (scale * (p ** -shape - 1)) / shape)
    const excesses = Float64Array.from({ length: 5000 }, (_, i) => excess(1 - (i + 0.5) / 5000))
    const tail = fitTail(excesses, 1, 0.05, 1)
    expect(tail.shape).toBeCloseTo(shape, 1)
    expect(logTail(tail, 1)).toBeCloseTo(Math.log(0.05), 12)
    expect(logTail(tail, 1 + excess(0.01))).toBeCloseTo(Math.log(0.05 * 0.01), 1)
  })
  it('never ends and never rises, also with a negative shape or nothing but zeros', () => {
    for (const tail of [
      { threshold: 0, mass: 0.1, shape: -0.45, scale: 1, exceedances: 40 },
      fitTail(new Float64Array(10), 0, 0.1, 2),
      fitTail([], 0, 0.1, 2),
    ]) {
      const values = Array.from({ length: 400 }, (_, i) => logTail(tail, i / 10))
      for (let i = 1; i < values.length; i++) expect(values[i]).toBeLessThan(values[i - 1])
    }
  })
})

describe('a place among equals', () => {
  it('is uniform, and the same for the same id', () => {
    const places = Float64Array.from({ length: 10_000 }, (_, i) => placeOf('topic-0', i)).sort()
    for (const [i, place] of places.entries()) expect(Math.abs(place - (i + 0.5) / 10_000)).toBeLessThan(0.03)
    expect(placeOf('a', 2 ** 40 + 1)).toBe(placeOf('a', 2 ** 40 + 1))
    expect(placeOf('a', 2 ** 40 + 1)).not.toBe(placeOf('a', 1))
    expect(placeOf('b', 1)).not.toBe(placeOf('a', 1))
  })
})

describe('a token bucket', () => {
  it('grants what a second fills, and saves no more than that', () => {
    let now = 0
    const bucket = new TokenBucket(10, () => now)
    expect([bucket.take(4), bucket.take(20), bucket.take(1)]).toEqual([4, 6, 0])
    now = 500
    expect(bucket.take(20)).toBe(5)
    now = 60_000
    expect(bucket.take(20)).toBe(10)
    expect(new TokenBucket(Number.POSITIVE_INFINITY).take(1e6)).toBe(1e6)
  })
})

describe('redaction', () => {
  it('keeps of a reason the field alone', () => {
    expect(redactReasons(['iban: "CH1" is not a number', 'x: y'], ['iban'])).toEqual([
      'iban: (redacted)',
      'x: y',
    ])
  })
})

describe('stream times', () => {
  const timed = (times: readonly number[]) => ({
    ...batchOfRows(times.map((i) => ({ i }))),
    eventTime: Float64Array.from(times),
  })
  it('tell order, span and volume over batches', () => {
    const times = new StreamTimes()
    times.add(timed([0, 43_200_000]))
    times.add(timed([86_400_000, 172_800_000]))
    expect(times).toMatchObject({ ordered: true, recordsPerDay: 2 })
    expect(times.span.last_time).toBe('1970-01-03T00:00:00.000Z')
  })
  it('say nothing without times, and that shuffled ones are not in order', () => {
    const none = new StreamTimes()
    none.add(batchOfRows([{ a: 1 }]))
    expect(none).toMatchObject({
      ordered: false,
      recordsPerDay: null,
      span: { first_time: null, last_time: null },
    })
    const shuffled = new StreamTimes()
    shuffled.add(timed([5, 1, 4, 2, Number.NaN, 3]))
    expect(shuffled.ordered).toBe(false)
  })
})

describe('a batch on the wire', () => {
  it('carries the needed columns alone, in buffers of its own, without what cannot change threads', () => {
    const large = new Float64Array(1000)
    const batch = {
      ...batchOfRows([
        { a: 1, s: 'x', m: () => 1 },
        { a: 2, s: 'y', m: 'text' },
      ]),
      eventTime: large.subarray(4, 6),
    }
    const wired = wireBatch(batch, new Set(['s', 'm']))
    expect([...wired.columns.keys()]).toEqual(['s', 'm'])
    expect(wired.columns.get('m')).toEqual({ kind: 'mixed', values: [{}, 'text'] })
    const buffers = buffersOf(wired)
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual([8, 16])
    expect(structuredClone(wired, { transfer: buffers }).rows).toBe(2)
    expect(large).toHaveLength(1000)
  })
  it('sends of a huge dictionary only what the batch uses', () => {
    const dictionary = Array.from({ length: 1000 }, (_, i) => `v${i}`)
    const column = { kind: 'string' as const, codes: Int32Array.of(900, 5, 900), dictionary }
    const batch = { ...batchOfRows([{}, {}, {}]), columns: new Map([['s', column]]) }
    expect(wireBatch(batch, new Set(['s'])).columns.get('s')).toMatchObject({
      codes: Int32Array.of(0, 1, 0),
      dictionary: ['v900', 'v5'],
    })
  })
})
