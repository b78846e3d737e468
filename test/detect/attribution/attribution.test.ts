import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../../src/core/record.ts'
import { Attribution } from '../../../src/detect/attribution/attribution.ts'
import type { EncodedBatch } from '../../../src/features/encoded.ts'
import { fitEncoder } from '../../../src/features/encoder-fit.ts'

/** y = x + noise, a heap of zeros and gaps in z, routes that only ever pair up, a constant. */
function records(rows: number, seed: number): Record<string, unknown>[] {
  const r = random(seed)
  return Array.from({ length: rows }, () => {
    const x = 100 + 10 * r.normal()
    const pair = r.integer(4)
    const z = r.uniform()
    return {
      x,
      y: x + r.normal(),
      z: z < 0.4 ? 0 : z < 0.5 ? null : 50 + 5 * r.normal(),
      from: `f${pair}`,
      to: `t${pair}`,
      unit: 'km',
    }
  })
}
const training = batchOfRows(records(4000, 1))
const encoder = fitEncoder([training])
const at = (field: string) => encoder.layout.numeric.findIndex((numeric) => numeric.field === field)

/** The true density of x, y | x, z | present in encoded units, times the encoder's own discrete part. */
function density(encoded: EncodedBatch): Float64Array {
  const width = encoder.layout.numeric.length
  const value = (field: string, row: number) =>
    encoder.decode(field, encoded.numeric[row * width + at(field)])
  return Float64Array.from({ length: encoded.rows }, (_, row) => {
    const x = value('x', row)
    if (Number.isNaN(x)) return encoded.logDiscrete[row]
    const gap = Number.isNaN(encoded.numeric[row * width + at('z')])
    const z = gap ? 0 : -(((value('z', row) - 50) / 5) ** 2) / 2 - Math.log(Math.sqrt(2 * Math.PI))
    return encoded.logDiscrete[row] - ((x - 100) / 10) ** 2 / 2 - (value('y', row) - x) ** 2 / 2 + z
  })
}

function explain(record: Record<string, unknown>, redact: readonly string[] = []) {
  const batch: RecordBatch = batchOfRows([record])
  return new Attribution(encoder, density, redact).explain(batch, encoder.encode(batch))[0]
}
const normal = { x: 104, y: 104.3, z: 52, from: 'f1', to: 't1', unit: 'km' }

describe('attribution', () => {
  it('finds a normal record unsurprising in every field', () => {
    for (const { surprise_nats } of explain(normal)) expect(surprise_nats).toBeLessThan(2)
  })

  it('says what a number would have been, given the others', () => {
    const y = explain({ ...normal, y: 111 }).find(({ field }) => field === 'y')!
    expect(y.value).toBe(111)
    expect(y.expected as number).toBeCloseTo(104, 0)
    expect(y.normal_low!).toBeGreaterThan(101.5)
    expect(y.normal_low!).toBeLessThan(102.6)
    expect(y.normal_high!).toBeLessThan(106.5)
    expect(y.surprise_nats).toBeGreaterThan(20)
  })

  it('blames the category that does not go with the other', () => {
    const [first, second] = explain({ ...normal, to: 't3' })
    expect([first.field, second.field].sort()).toEqual(['from', 'to'])
    expect(first.surprise_nats).toBeGreaterThan(5)
    const to = [first, second].find(({ field }) => field === 'to')!
    expect(to).toMatchObject({ value: 't3', expected: 't1', normal_low: null })
  })

  it('judges a number with heaps and gaps first by which of these it is', () => {
    const z = (value: number | null) => explain({ ...normal, z: value }).find(({ field }) => field === 'z')!
    expect(z(0).surprise_nats).toBeLessThan(1)
    expect(z(null).surprise_nats).toBeGreaterThan(1.4)
    expect(z(null).surprise_nats).toBeLessThan(2)
    expect(z(52).surprise_nats).toBeLessThan(1)
    expect(z(90).surprise_nats).toBeGreaterThan(15)
  })

  it('puts a constant that changed and a first gap at what never happened', () => {
    const never = Math.log(4002)
    expect(explain({ ...normal, unit: 'mi' })[0]).toMatchObject({
      field: 'unit',
      value: 'mi',
      expected: 'km',
      surprise_nats: never,
    })
    expect(explain({ ...normal, x: null })[0]).toMatchObject({
      field: 'x',
      value: null,
      surprise_nats: never,
    })
  })

  it('ranks an unseen level by its probability', () => {
    const [first] = explain({ ...normal, from: 'mars' })
    expect(first).toMatchObject({ field: 'from', value: 'mars', expected: 'f1' })
    expect(first.surprise_nats).toBeGreaterThan(6)
  })

  it('of two numbers that contradict each other, blames the one that is odd by itself', () => {
    expect(explain({ ...normal, x: 101, y: 125 })[0].field).toBe('y')
    expect(explain({ ...normal, x: 125, y: 101 })[0].field).toBe('x')
  })

  it('explains a record in a batch as it does alone', () => {
    const many = records(30, 9).map((record, i) => (i % 3 === 0 ? { ...record, y: 111, to: 't3' } : record))
    const batch = batchOfRows(many)
    const together = new Attribution(encoder, density).explain(batch, encoder.encode(batch))
    for (const [i, record] of many.entries()) expect(together[i]).toEqual(explain(record))
  })

  it('counts the levels that it does not try by their probability', () => {
    const r = random(4)
    const shops = (rows: number) =>
      Array.from({ length: rows }, () => ({
        shop: `s${Math.floor(400 * r.uniform() ** 2)}`,
        price: r.normal(),
      }))
    const many = fitEncoder([batchOfRows(shops(20_000))])
    let asked = 0
    const flat = (encoded: EncodedBatch) => {
      asked += encoded.rows
      return encoded.logDiscrete.slice()
    }
    const batch = batchOfRows([{ shop: 's399', price: 0 }])
    const codes = many.encode(batch).codes
    const [found] = new Attribution(many, flat).explain(batch, many.encode(batch))
    const logP = many.discrete.logProbOfLevels(codes, 0)
    const rarer = logP.reduce((sum, p) => sum + (p <= logP[codes[0]] ? Math.exp(p) : 0), 0)
    const shop = found.find(({ field }) => field === 'shop')!
    expect(shop.surprise_nats).toBeCloseTo(-Math.log(rarer), 6)
    expect(asked).toBeLessThan(150)
  })

  it('shows nothing of a redacted field but its name and surprise', () => {
    const y = explain({ ...normal, y: 111 }, ['y']).find(({ field }) => field === 'y')!
    expect(y).toEqual({
      field: 'y',
      surprise_nats: y.surprise_nats,
      value: null,
      expected: null,
      normal_low: null,
      normal_high: null,
    })
  })

  it('does not depend on the units of a field', () => {
    const miles = fitEncoder([
      batchOfRows(
        records(4000, 1).map((r) => ({ ...r, z: r.z === null ? null : (r.z as number) / 1.609344 })),
      ),
    ])
    const flat = (encoded: EncodedBatch) => encoded.logDiscrete.slice()
    const batch = (z: number) => batchOfRows([{ ...normal, z }])
    const there = new Attribution(encoder, flat).explain(batch(60), encoder.encode(batch(60)))[0]
    const here = batch(60 / 1.609344)
    const same = new Attribution(miles, flat).explain(here, miles.encode(here))[0]
    const nats = (all: typeof there) => all.find(({ field }) => field === 'z')!.surprise_nats
    expect(nats(same)).toBeCloseTo(nats(there), 5)
  })
})
