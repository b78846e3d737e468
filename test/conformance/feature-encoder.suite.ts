import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type Column, type RecordBatch } from '../../src/core/record.ts'
import type { EncodedBatch } from '../../src/features/encoded.ts'
import { FeatureEncoder } from '../../src/features/encoder.ts'
import type { FitEncoderOptions } from '../../src/features/encoder-fit.ts'

type Row = Record<string, unknown>

/** Mixed records: continuous, zero-inflated, cents, low-cardinality, boolean, category, time, sometimes missing. */
export function mixedRows(n: number, seed = 1): Row[] {
  const r = random(seed)
  return Array.from({ length: n }, (_, i) => ({
    speed: 30 + 5 * r.normal(),
    fee: r.uniform() < 0.3 ? 0 : Math.exp(r.normal()),
    price: Math.round(100 * Math.exp(2 + r.normal())) / 100,
    doors: 2 + r.integer(3),
    paid: r.uniform() < 0.7,
    carrier: ['AA', 'BA', 'LH', 'UA', 'ZZ'][Math.floor(5 * r.uniform() ** 2)],
    score: r.uniform() < 0.1 ? null : r.normal(),
    currency: 'EUR',
    at: new Date(1.7e12 + 3_599_000 * i),
  }))
}

const finite = (values: Float32Array | Float64Array): boolean => values.every((x) => Number.isFinite(x))
const finiteOrNaN = (values: Float32Array): boolean =>
  values.every((x) => Number.isFinite(x) || Number.isNaN(x))

/** The promises of EncodedBatch that hold for any input. */
export function expectSound(encoded: EncodedBatch, encoder: FeatureEncoder): void {
  const { layout } = encoder
  expect(finiteOrNaN(encoded.numeric) && finiteOrNaN(encoded.joint)).toBe(true)
  expect(finite(encoded.context) && finite(encoded.logDiscrete)).toBe(true)
  expect(finite(encoded.logJacobian) && finite(encoded.logUnits)).toBe(true)
  encoded.codes.forEach((code, i) => {
    const { levels } = layout.discrete[i % layout.discrete.length]
    if (!(code >= 0 && code < levels)) expect.fail(`code ${code} of ${levels} levels`)
  })
  for (const [row, reasons] of encoded.unscored) {
    expect(row).toBeLessThan(encoded.rows)
    expect(reasons.length).toBeGreaterThan(0)
    expect(encoded.notes.has(row)).toBe(false)
    const width = layout.numeric.length
    expect(encoded.numeric.subarray(row * width, (row + 1) * width).every((u) => u === 0)).toBe(true)
  }
}

function sameBytes(a: EncodedBatch, b: EncodedBatch): void {
  for (const part of [
    'numeric',
    'joint',
    'codes',
    'context',
    'logDiscrete',
    'logJacobian',
    'logUnits',
  ] as const)
    expect(Buffer.from(a[part].buffer, 0, a[part].byteLength)).toEqual(
      Buffer.from(b[part].buffer, 0, b[part].byteLength),
    )
  expect([...a.unscored]).toEqual([...b.unscored])
  expect([...a.notes]).toEqual([...b.notes])
}

export function featureEncoderSuite(
  name: string,
  learn: (batches: readonly RecordBatch[], options?: FitEncoderOptions) => FeatureEncoder,
): void {
  const rows = mixedRows(1500)
  const training = batchOfRows(rows)

  describe(`FeatureEncoder: ${name}`, () => {
    const encoder = learn([training])

    it('lets no NaN or Infinity out, whatever comes in', () => {
      const hostile = fc.oneof(
        fc.double(),
        fc.constantFrom(
          1e308,
          -1e308,
          5e-324,
          Number.MAX_VALUE,
          -0,
          2 ** 53,
          Number.NaN,
          Infinity,
          -Infinity,
        ),
        fc.string(),
        fc.boolean(),
        fc.constantFrom(null, undefined, [], {}, new Date(Number.NaN), new Date(0), 10n, Symbol('s')),
      )
      const record = fc.record(Object.fromEntries(Object.keys(rows[0]).map((field) => [field, hostile])))
      fc.assert(
        fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
          expectSound(encoder.encode(batchOfRows(records)), encoder)
        }),
        { numRuns: 300 },
      )
    })

    it('learns from hostile data and encodes it again', () => {
      const number = fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(1e308, -1e308, 5e-324, 0, 1, 1.7e12),
      )
      fc.assert(
        fc.property(fc.array(number, { minLength: 2, maxLength: 60 }), (values) => {
          const batch = batchOfRows(values.map((x, i) => ({ x, y: i % 7 })))
          const learned = learn([batch])
          const encoded = learned.encode(batch)
          expectSound(encoded, learned)
          expect(encoded.unscored.size).toBe(0)
        }),
        { numRuns: 200 },
      )
    })

    it('rejects what does not fit, names field, value and rule, and scores the other rows alike', () => {
      const bad: Row[] = [
        { ...rows[0], speed: 'fast' },
        { ...rows[1], speed: Number.POSITIVE_INFINITY },
        { ...rows[2], paid: 'yes', carrier: 7 },
      ]
      const encoded = encoder.encode(batchOfRows([...bad, rows[3]]))
      expect(Object.fromEntries(encoded.unscored)).toEqual({
        0: ["speed: 'fast' is not a number"],
        1: ['speed: Infinity is not a finite number'],
        2: ["paid: 'yes' is not true or false", 'carrier: 7 is not text'],
      })
      const alone = encoder.encode(batchOfRows([rows[3]]))
      expect(encoded.numeric.slice(-encoder.layout.numeric.length)).toEqual(alone.numeric)
      expect(encoded.logDiscrete[3]).toBe(alone.logDiscrete[0])
    })

    it('is frozen after the fit', () => {
      const before = JSON.stringify(encoder.state)
      encoder.encode(batchOfRows(mixedRows(50, 9).map((row) => ({ ...row, carrier: 'QQ', speed: 1e9 }))))
      expect(JSON.stringify(encoder.state)).toBe(before)
      expect(() => Object.assign(encoder.state.columns[0], { field: 'other' })).toThrow(TypeError)
    })

    it('comes back from JSON with identical results', () => {
      const again = FeatureEncoder.fromState(JSON.parse(JSON.stringify(encoder.state)))
      const batch = batchOfRows(mixedRows(300, 2))
      sameBytes(again.encode(batch), encoder.encode(batch))
      expect(again.measure).toBe(encoder.measure)
    })

    it('gives the same result into lent buffers', () => {
      const batch = batchOfRows(mixedRows(200, 3))
      const lent = encoder.encode(batchOfRows(mixedRows(500, 4).map((row) => ({ ...row, fee: null }))))
      sameBytes(encoder.encode(batch, lent), encoder.encode(batch))
    })

    it('encodes rows of mixed types like typed columns', () => {
      const batch = batchOfRows(mixedRows(100, 5))
      const columns = new Map<string, Column>()
      for (const field of batch.columns.keys())
        columns.set(field, { kind: 'mixed', values: mixedRows(100, 5).map((row) => row[field]) })
      sameBytes(encoder.encode({ ...batch, columns }), encoder.encode(batch))
    })

    it('gives an unseen category code 0, less probability, and a note', () => {
      const encoded = encoder.encode(batchOfRows([rows[0], { ...rows[0], carrier: 'QQ' }]))
      expect(encoded.notes.get(1)).toEqual(["carrier: 'QQ' was never seen in training"])
      expect(encoded.notes.has(0)).toBe(false)
      expect(encoded.logDiscrete[1]).toBeLessThan(encoded.logDiscrete[0] - 2)
    })

    it('notes a changed constant and a value missing for the first time, at a price', () => {
      const encoded = encoder.encode(
        batchOfRows([rows[0], { ...rows[0], currency: 'USD' }, { ...rows[0], speed: null }]),
      )
      expect(encoded.notes.get(1)).toEqual(["currency: was always 'EUR', is 'USD'"])
      expect(encoded.notes.get(2)).toEqual(['speed: was never missing in training, is missing'])
      for (const row of [1, 2]) expect(encoded.logDiscrete[row]).toBeLessThan(encoded.logDiscrete[0] - 7)
    })

    it('takes all-null and constant columns', () => {
      const learned = learn([batchOfRows(rows.map(({ speed }) => ({ speed, nothing: null, one: 1 })))])
      const encoded = learned.encode(batchOfRows([{ speed: 30, nothing: 3, one: null }]))
      expect(encoded.unscored.size).toBe(0)
      expect(encoded.notes.get(0)).toEqual([
        'nothing: was always missing, is 3',
        'one: was always 1, is missing',
      ])
    })

    it('refuses a batch without a learned column and names those it has; ignores others', () => {
      const [{ speed: _, ...rest }] = rows
      expect(() => encoder.encode(batchOfRows([rest]))).toThrow(
        /"speed" is missing; the data has: fee, price/,
      )
      const more = encoder.encode(batchOfRows([{ ...rows[0], extra: 'x' }]))
      sameBytes(more, encoder.encode(batchOfRows([rows[0]])))
    })

    it('is unit-free: miles turned into kilometres leave u unchanged', () => {
      const r = random(6)
      const miles = Array.from({ length: 3000 }, () => ({
        whole: Math.round(400 + 90 * r.normal()),
        any: r.normal(),
      }))
      const km = miles.map(({ whole, any }) => ({ whole: whole * 1.609344, any: any * 1.609344 }))
      const [a, b] = [miles, km].map((data) => {
        const learned = learn([batchOfRows(data)])
        return {
          u: learned.encode(batchOfRows(data)).numeric,
          halfSteps: learned.layout.numeric.map((n) => n.halfStep),
        }
      })
      a.u.forEach((u, i) => {
        if (Math.abs(u - b.u[i]) > 1e-6) expect(b.u[i]).toBeCloseTo(u, 6)
      })
      expect(b.halfSteps[0]).toBeCloseTo(a.halfSteps[0], 6)
      expect(a.halfSteps[0]).toBeGreaterThan(0)
    })

    it('decodes what it encoded', () => {
      for (const field of encoder.layout.numeric.map((column) => column.field))
        for (const raw of [0, 1, -3.5, 1e6, 1e-9])
          expect(encoder.decode(field, encoder.encodeValue(field, raw))).toBeCloseTo(
            raw,
            6 - Math.log10(1 + Math.abs(raw)),
          )
    })

    it('leaves excluded rows out of the fit', () => {
      const poisoned = [...rows, ...rows.slice(0, 500).map((row) => ({ ...row, carrier: 'XX', speed: 9e9 }))]
      const mask = Uint8Array.from(poisoned, (_, i) => (i < rows.length ? 0 : 1))
      const learned = learn([batchOfRows(poisoned)], { rowWeightsExcluded: [mask] })
      expect(JSON.stringify(learned.state)).toBe(JSON.stringify(encoder.state))
    })
  })
}
