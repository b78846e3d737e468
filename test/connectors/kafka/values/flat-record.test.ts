import fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { kafkaRecordOptions } from '../../../../connectors/kafka/options.ts'
import { FlatReader, flatKeys } from '../../../../connectors/kafka/values/flat-record.ts'
import { decodeJson } from '../../../../connectors/kafka/values/json.ts'
import { RecordDecoder, type ValueDecoder } from '../../../../connectors/kafka/values/record-decoder.ts'
import type { Column, RecordBatch } from '../../../../src/core/record.ts'

/** What the reader takes from a text; undefined where it leaves it to JSON.parse. */
function taken(keys: readonly string[], text: string): unknown[] | undefined {
  const values: unknown[] = []
  const reader = new FlatReader(
    keys,
    keys.map(() => (value) => values.push(value)),
  )
  const bytes = Buffer.from(`,${text}]}9"`)
  return reader.read(bytes, 1, bytes.length - 4) ? values : undefined
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(25)).map(([n, places]) => {
    const digits = String(n < 0n ? -n : n).padStart(places + 1, '0')
    const whole = digits.slice(0, digits.length - places)
    return `${n < 0n ? '-' : ''}${whole}${places > 0 ? `.${digits.slice(-places)}` : ''}`
  }),
  fc.constantFrom('-0', '0', '-0.0', '0.1', '1.7976931348623157', '9007199254740993', '1e3', '5E-324'),
)
const leaf = fc.oneof(
  number,
  fc.string().map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.constantFrom('true', 'false', 'null'),
)
const space = fc.constantFrom('', '', ' ')

describe('FlatReader', () => {
  it('takes what JSON.parse gives, or nothing', () => {
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 5 }), space, (leaves, gap) => {
        const keys = leaves.map((_, i) => `key ${i}`)
        const fields = leaves.map((text, i) => `"key ${i}":${gap}${text}`)
        const text = `{${fields.join(`,${gap}`)}}`
        const values = taken(keys, text)
        if (values !== undefined) expect(values).toStrictEqual(Object.values(JSON.parse(text)))
        else expect(text).toMatch(/[\\e\u007f-\uffff]/i)
      }),
      { numRuns: 600 },
    )
  })

  it('takes nothing that JSON.parse refuses', () => {
    const pieces = [
      '{',
      '}',
      '"a"',
      '"b"',
      ':',
      ',',
      '1',
      '01',
      '-',
      '.5',
      '1.',
      'tru',
      'true',
      'null',
      '"',
      ' ',
      '\n',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (chosen) => {
        const text = chosen.join('')
        const values = taken(['a'], text) ?? taken(['a', 'b'], text)
        if (values !== undefined) expect(values).toStrictEqual(Object.values(JSON.parse(text)))
      }),
      { numRuns: 2000 },
    )
    for (const text of [
      '{"a":01}',
      '{"a":1.}',
      '{"a":-}',
      '{"a":.5}',
      '{"a":+1}',
      '{"a":1',
      '{"a":1}}',
      '{"a":trux}',
      '{"a":"x}',
    ])
      expect(taken(['a'], text), text).toBeUndefined()
    expect(taken(['a'], '{"a":1}')).toEqual([1])
  })

  it('knows which shapes it reads', () => {
    expect(flatKeys({ a: 1, 'b.c': 'x', d: null })).toEqual(['a', 'b.c', 'd'])
    for (const other of [{ a: {} }, { a: [1] }, { 'a"': 1 }, { ü: 1 }, { '': 1 }, {}, [1], 5, null])
      expect(flatKeys(other)).toBeUndefined()
  })
})

const slow: ValueDecoder = (topic, value) => decodeJson(topic, value)
/** A missing value of mixed columns is null or undefined, which means the same. */
const nullsOf = (batch: RecordBatch): RecordBatch => ({
  ...batch,
  columns: new Map(
    [...batch.columns].map(([name, column]): [string, Column] => [
      name,
      column.kind === 'mixed' ? { ...column, values: column.values.map((value) => value ?? null) } : column,
    ]),
  ),
})
const messageOf = (text: string | null, i: number): KafkaMessage => ({
  offset: String(i),
  key: Buffer.from(`k${i}`),
  value: text === null ? null : Buffer.from(text),
  timestamp: String(1000 + i),
  attributes: 0,
  headers: {},
})
const flat = fc.record({
  t: fc.integer(),
  a: fc.double({ noNaN: true }),
  s: fc.string(),
  b: fc.option(fc.boolean()),
})
const odd = fc.constantFrom<(string | null)[]>(
  '{"a":{"x":1}}',
  '{"s":"x","a":1}',
  '{"t":1,"a":1,"s":"x","b":true,"n":2}',
  'no',
  '{}',
  null,
)
const text: fc.Arbitrary<string | null> = fc.oneof(
  { weight: 12, arbitrary: flat.map((record): string | null => JSON.stringify(record)) },
  { weight: 1, arbitrary: odd },
)

it.each([
  ['every leaf', {}],
  ['named fields', { fields: ['a', 'b', 'x.y'] }],
  [
    'time and entity from fields',
    { fields: ['a'], event_time: { field: 't', unit: 's' }, entity: { field: 's' } },
  ],
  ['the key as entity', { entity: 'key' }],
])('decodes a stream the same with and without flat reading: %s', async (_, settings) => {
  const options = kafkaRecordOptions.parse({ ...settings, max_record_bytes: 200 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
      async (slices) => {
        const [quick, plain] = [decodeJson, slow].map((decoder) => new RecordDecoder(options, decoder))
        for (const slice of slices) {
          const messages = slice.map(messageOf)
          const [a, b] = [await quick.decode('t', 0, messages), await plain.decode('t', 0, messages)]
          expect(nullsOf(a.batch)).toStrictEqual(nullsOf(b.batch))
          expect([...a.batch.columns.keys()]).toEqual([...b.batch.columns.keys()])
          expect(a.rejected.map(({ id, reason }) => [id, reason])).toEqual(
            b.rejected.map(({ id, reason }) => [id, reason]),
          )
        }
      },
    ),
    { numRuns: 80 },
  )
})
