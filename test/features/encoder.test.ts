import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { FeatureEncoder } from '../../src/features/encoder.ts'
import { fitEncoder } from '../../src/features/encoder-fit.ts'
import { exactView } from '../../src/features/view.ts'
import { featureEncoderSuite, mixedRows } from '../conformance/feature-encoder.suite.ts'

featureEncoderSuite('fitted in one go', fitEncoder)
featureEncoderSuite('restored from its state', (batches, options) =>
  FeatureEncoder.fromState(JSON.parse(JSON.stringify(fitEncoder(batches, options).state))),
)

describe('FeatureEncoder', () => {
  const encoder = fitEncoder([batchOfRows(mixedRows(1500))])

  it('refuses a state of a newer format', () => {
    expect(() => FeatureEncoder.fromState({ ...encoder.state, version: 2 as 1 })).toThrow(/version 2/)
  })

  it('refuses data without a density, with the reason for each column', () => {
    const ids = Array.from({ length: 200 }, (_, i) => ({ id: i, name: `n${i}`, one: 1 }))
    expect(() => fitEncoder([batchOfRows(ids)])).toThrow(/id \(identifier: .*only ever increase\); name/)
    expect(() => fitEncoder([])).toThrow(/no records/)
  })

  it('gives a quantised column the log probability of the value', () => {
    const r = random(2)
    const data = Array.from({ length: 5000 }, () => ({ n: Math.round(20 * r.normal()) }))
    const learned = fitEncoder([batchOfRows(data)])
    const grid = Array.from({ length: 401 }, (_, i) => ({ n: i - 200 }))
    const { numeric, logJacobian, logUnits } = learned.encode(batchOfRows(grid))
    const sum = numeric.reduce(
      (total, u, i) =>
        total + Math.exp(-0.5 * u * u - 0.5 * Math.log(2 * Math.PI) + logJacobian[i] + logUnits[i]),
      0,
    )
    expect(sum).toBeCloseTo(1, 2)
  })

  it('integrates to 1 in raw units: Σ p(u) |dT/dv| / scale · Δx', () => {
    const r = random(3)
    const learned = fitEncoder([batchOfRows(Array.from({ length: 3000 }, () => ({ x: 7 + 3 * r.normal() })))])
    const grid = Array.from({ length: 40_001 }, (_, i) => ({ x: i / 20 - 1000 }))
    const { numeric, logJacobian, logUnits } = learned.encode(batchOfRows(grid))
    let sum = 0
    numeric.forEach((u, i) => {
      sum += Math.exp(-0.5 * u * u - 0.5 * Math.log(2 * Math.PI) + logJacobian[i] + logUnits[i]) / 20
    })
    expect(sum).toBeCloseTo(1, 2)
  })

  it('treats NaN as missing exactly where training held NaN', () => {
    const r = random(4)
    const clean = Array.from({ length: 300 }, () => ({ x: r.normal(), y: r.normal() }))
    const holed = clean.map((row, i) => (i % 10 === 0 ? { ...row, x: Number.NaN } : row))
    const nan = batchOfRows([{ x: Number.NaN, y: 0 }])
    expect(
      fitEncoder([batchOfRows(clean)])
        .encode(nan)
        .unscored.get(0),
    ).toEqual(['x: NaN is not a finite number'])
    const encoded = fitEncoder([batchOfRows(holed)]).encode(nan)
    expect(encoded.unscored.size).toBe(0)
    expect([...encoded.codes]).toEqual([2])
    expect(encoded.numeric[0]).toBeNaN()
  })

  it('gives plain numbers one matrix and no discrete part', () => {
    const r = random(5)
    const batch = batchOfRows(Array.from({ length: 300 }, () => ({ x: r.normal(), y: r.normal() })))
    const encoded = fitEncoder([batch]).encode(batch)
    expect(encoded.joint).toBe(encoded.numeric)
    expect(encoded.logDiscrete.every((p) => p === 0)).toBe(true)
  })

  it('models a second time as the seconds since the first', () => {
    const r = random(6)
    const trips = Array.from({ length: 400 }, (_, i) => {
      const start = 1.7e12 + i * 7_000_000
      return { start: new Date(start), end: new Date(start + 1000 * Math.round(600 + 100 * r.normal())) }
    })
    const learned = fitEncoder([batchOfRows(trips)])
    expect(learned.layout.numeric.map(({ field }) => field)).toEqual(['end'])
    expect(learned.layout.context).toEqual(['hour_sin', 'hour_cos', 'weekday_sin', 'weekday_cos'])
    const iso = batchOfRows([{ start: '2024-03-01T10:00:00Z', end: '2024-03-01T10:10:00Z' }])
    expect(learned.decode('end', learned.encode(iso).numeric[0])).toBeCloseTo(600, 3)
    const odd = learned.encode(batchOfRows([{ start: 'soon', end: '2024-03-01' }]))
    expect(odd.unscored.get(0)).toEqual([
      "start: 'soon' is not a time (write ISO 8601, or the month as a word)",
    ])
  })

  it('takes hour and weekday from the event time where no column holds one', () => {
    const r = random(7)
    const eventTime = Float64Array.from({ length: 800 }, (_, i) => 1.7e12 + i * 3_600_000)
    const batch: RecordBatch = { ...batchOfRows(Array.from(eventTime, () => ({ x: r.normal() }))), eventTime }
    const learned = fitEncoder([batch])
    expect(learned.layout.context).toEqual(['hour_sin', 'hour_cos', 'weekday_sin', 'weekday_cos'])
    expect([...learned.encode(batchOfRows([{ x: 0 }])).context]).toEqual([0, 0, 0, 0])
    const { context } = learned.encode(batch)
    expect(context[0] ** 2 + context[1] ** 2).toBeCloseTo(1, 5)
  })

  it('conditions on context columns without modelling them', () => {
    const r = random(8)
    const data = Array.from({ length: 2000 }, () => {
      const site = `s${r.integer(40)}`
      return { site, load: 3 * r.normal(), x: r.normal(), mode: site < 's2' ? 'a' : 'b' }
    })
    const learned = fitEncoder([batchOfRows(data)], {
      overrides: { site: { context: true }, load: { context: true } },
    })
    expect(learned.layout.context).toEqual(['load'])
    expect(learned.layout.numeric.map(({ field }) => field)).toEqual(['x'])
    const encoded = learned.encode(
      batchOfRows([
        { site: 's1', load: 0, x: 0, mode: 'a' },
        { site: 's30', load: 99, x: 0, mode: 'a' },
        { site: 'new', load: 0, x: 0, mode: 'a' },
      ]),
    )
    expect(encoded.notes.size).toBe(0)
    expect(encoded.logDiscrete[0]).toBeGreaterThan(-0.1)
    expect(encoded.logDiscrete[1]).toBeLessThan(-2)
    expect(encoded.codes[2 * learned.layout.discrete.length]).toBe(0)
  })

  it('survives a category with 100,000 levels', () => {
    const data = Array.from({ length: 150_000 }, (_, i) => ({
      customer: `c${i % 100_000}`,
      kind: i % 3 === 0 ? 'a' : 'b',
    }))
    const learned = fitEncoder([batchOfRows(data)])
    const [customer] = learned.layout.discrete
    expect(customer.levels).toBe(100_001)
    expect(customer.pooledFrom).toBeLessThan(1100)
    const encoded = learned.encode(batchOfRows([data[0], data[99_999], { customer: 'nobody', kind: 'a' }]))
    expect(encoded.logDiscrete.every((p) => Number.isFinite(p))).toBe(true)
    expect(encoded.codes[2 * learned.layout.discrete.length]).toBe(0)
  })

  it('encodes an empty batch, columns or none, to nothing', () => {
    expect(encoder.encode(batchOfRows([])).rows).toBe(0)
    expect(exactView(encoder.layout).input(encoder.encode(batchOfRows([]))).x.length).toBe(0)
  })

  it('notes a value beside a grid that training kept to, at a price', () => {
    const r = random(9)
    const data = Array.from({ length: 1000 }, () => ({
      cents: Math.round(900 + 99 * r.normal()) / 100,
      any: r.normal(),
    }))
    const learned = fitEncoder([batchOfRows(data)])
    expect(learned.encode(batchOfRows(data)).notes.size).toBe(0)
    const encoded = learned.encode(
      batchOfRows([
        { cents: 9.01, any: 0.1234567 },
        { cents: 9.015, any: 0 },
      ]),
    )
    expect([...encoded.notes]).toEqual([[1, ['cents: values came in steps of 0.01, 9.015 is between two']]])
    expect([...encoded.logDiscrete]).toEqual([0, -Math.log(1002)])
  })

  it('expects nothing below zero where training had nothing there', () => {
    const r = random(9)
    const learned = fitEncoder([
      batchOfRows(Array.from({ length: 500 }, () => ({ price: Math.exp(r.normal()), change: r.normal() }))),
    ])
    expect(learned.expected('price', -50)).toBe(0)
    expect(learned.expected('change', -5)).toBeLessThan(-1)
  })

  it('names the column of a wrong field', () => {
    expect(() => encoder.decode('carrier', 0)).toThrow(
      /"carrier" is not a modelled number column; those are: speed/,
    )
    expect(() =>
      fitEncoder([batchOfRows(mixedRows(50))], { overrides: { colour: { ignore: true } } }),
    ).toThrow(/"colour" is configured and missing/)
  })
})
