import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { kafkaRecordOptions } from '../../../../connectors/kafka/options.ts'
import { arrayDecoder, decodeJson } from '../../../../connectors/kafka/values/json.ts'
import { RecordDecoder, type ValueDecoder } from '../../../../connectors/kafka/values/record-decoder.ts'
import { cell, rowOf } from '../../../../src/core/record.ts'

const message = (value: Buffer | string | null, extra: Partial<KafkaMessage> = {}): KafkaMessage =>
  ({
    offset: '7',
    key: Buffer.from('acct-1'),
    value: typeof value === 'string' ? Buffer.from(value) : value,
    timestamp: '1000',
    attributes: 0,
    headers: { traceparent: '00-1' },
    ...extra,
  }) as KafkaMessage

function decode(messages: readonly KafkaMessage[], options: object = {}, values: ValueDecoder = decodeJson) {
  return new RecordDecoder(kafkaRecordOptions.parse(options), values).decode('t', 3, messages)
}

describe('RecordDecoder', () => {
  it('reads nested fields by path, whole keys first, and leaves out inherited ones', async () => {
    const { batch } = await decode(
      [message('{"a":{"b":{"c":1},"list":[5,6]},"x.y":2,"n":null}'), message('{"a":1}')],
      { fields: ['a.b.c', 'a.list.1', 'x.y', 'n', 'toString'] },
    )
    expect({ ...rowOf(batch, 0) }).toEqual({ 'a.b.c': 1, 'a.list.1': 6, 'x.y': 2, n: null, toString: null })
    expect({ ...rowOf(batch, 1) }).toEqual({
      'a.b.c': null,
      'a.list.1': null,
      'x.y': null,
      n: null,
      toString: null,
    })
  })

  it('finds every leaf where no fields are named, and keeps columns that a later batch lacks', async () => {
    const decoder = new RecordDecoder(kafkaRecordOptions.parse({}), decodeJson)
    await decoder.decode('t', 0, [message('{"a":1,"b":{"c":"x"}}')])
    const { batch } = await decoder.decode('t', 0, [message('{"a":2}')])
    expect([...batch.columns.keys()]).toEqual(['a', 'b.c'])
    expect(cell(batch.columns.get('b.c')!, 0)).toBeNull()
  })

  it('rejects each bad record by itself, with its original bytes, and keeps its neighbours', async () => {
    const bad: (Buffer | string | null)[] = [
      '{"amount":',
      null,
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      '[1,2]',
      '"text"',
      'null',
      '',
      `{"a":"${'x'.repeat(200)}"}`,
    ]
    const { batch, rejected } = await decode(
      [
        message('{"amount":1}', { offset: '1' }),
        ...bad.map((v, i) => message(v, { offset: String(10 + i) })),
        message('{"amount":2}', { offset: '99' }),
      ],
      { fields: ['amount'], max_record_bytes: 100 },
    )
    expect([cell(batch.columns.get('amount')!, 0), cell(batch.columns.get('amount')!, 1)]).toEqual([1, 2])
    expect([...(batch.origin.offsets as Float64Array)]).toEqual([1, 99])
    expect(rejected.map(({ id }) => id)).toEqual(bad.map((_, i) => `t-3-${10 + i}`))
    expect(rejected[0].value?.toString()).toBe('{"amount":')
    expect(rejected.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/JSON/),
      'the value is null (a tombstone)',
      'the value is not valid UTF-8',
      'a JSON object is expected, not an array',
      'a JSON object is expected, not string',
      'a JSON object is expected, not object',
      expect.stringMatching(/JSON/),
      '208 bytes are over max_record_bytes 100',
    ])
  })

  it('survives prototype keys, duplicate keys and deep nesting', async () => {
    const deep = `{"a":${'['.repeat(50_000)}1${']'.repeat(50_000)}}`
    const { batch, rejected } = await decode([
      message('{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}},"amount":1,"amount":5}'),
      message(deep),
    ])
    expect(rejected).toEqual([])
    expect(cell(batch.columns.get('amount')!, 0)).toBe(5)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(batch.columns.get('__proto__.polluted')).toBeDefined()
  })

  it('takes event time and entity from fields or from the message', async () => {
    const record = message('{"at":"2026-01-02T03:04:05Z","ts":1700000000,"who":{"id":42}}')
    const fromMessage = await decode([record], { entity: 'key' })
    expect([fromMessage.batch.eventTime?.[0], fromMessage.batch.entity?.[0]]).toEqual([1000, 'acct-1'])
    const iso = await decode([record], { event_time: { field: 'at' }, entity: { field: 'who.id' } })
    expect([iso.batch.eventTime?.[0], iso.batch.entity?.[0]]).toEqual([
      Date.parse('2026-01-02T03:04:05Z'),
      '42',
    ])
    const seconds = await decode([record], { event_time: { field: 'ts', unit: 's' } })
    expect(seconds.batch.eventTime?.[0]).toBe(1_700_000_000_000)
    const none = await decode([message('{}', { timestamp: '-1' })])
    expect(none.batch.eventTime?.[0]).toBeNaN()
    expect(fromMessage.envelope(0).headers.traceparent).toBe('00-1')
  })

  it('reads arrays of numbers under the declared names', async () => {
    const values = arrayDecoder(['x', 'y'])
    const { batch, rejected } = await decode(
      [message('[1,2.5]'), message('[1]'), message('[1,"2"]'), message('[3,null]')],
      { fields: ['x', 'y'] },
      values,
    )
    expect([0, 1].map((row) => ({ ...rowOf(batch, row) }))).toEqual([
      { x: 1, y: 2.5 },
      { x: 3, y: null },
    ])
    expect(rejected.map(({ reason }) => reason)).toEqual([
      '1 numbers were sent where 2 fields are declared',
      'element 1 is not a number',
    ])
  })
})
