import avro from 'avsc'
import { describe, expect, it } from 'vitest'
import { schemaRegistryOptions } from '../../../../connectors/kafka/options.ts'
import { avroDecoder } from '../../../../connectors/kafka/values/avro.ts'
import { jsonSchemaDecoder } from '../../../../connectors/kafka/values/json-schema.ts'
import { SchemaRegistry } from '../../../../connectors/kafka/values/schema-registry.ts'
import { startRegistry, wire } from '../registry-server.ts'

const record = (...fields: object[]) => ({ type: 'record', name: 'Payment', fields })
const amount = { name: 'amount', type: 'double' }
const old = { name: 'legacy', type: 'string' }
const added = { name: 'channel', type: 'string', default: 'web' }
const count = { name: 'count', type: ['null', 'long'], default: null }

const V1 = record(amount, old)
const V2 = record(amount, added, count)

const encode = (id: number, schema: object, value: object) =>
  wire(id, avro.Type.forSchema(schema as never).toBuffer(value))

async function setUp() {
  const server = await startRegistry()
  const options = schemaRegistryOptions.parse({ url: server.url, username: 'u', password: 'p' })
  return { server, registry: new SchemaRegistry(options) }
}

describe('avroDecoder', () => {
  it('reads each record by its writer’s schema in the shape of the newest', async () => {
    const { server, registry } = await setUp()
    await using _ = server
    server.schemas.set(1, { schema: JSON.stringify(V1) })
    server.schemas.set(2, { schema: JSON.stringify(V2) })
    server.latest.set('t-value', { schema: JSON.stringify(V2) })
    const decode = avroDecoder(registry)
    expect(await decode('t', encode(1, V1, { amount: 1.5, legacy: 'x' }))).toEqual({
      amount: 1.5,
      channel: 'web',
      count: null,
    })
    expect(await decode('t', encode(2, V2, { amount: 2, channel: 'app', count: 3 }))).toEqual({
      amount: 2,
      channel: 'app',
      count: 3,
    })
    const before = server.requests
    expect(decode('t', encode(1, V1, { amount: 3, legacy: 'y' }))).toMatchObject({ amount: 3 })
    expect(server.requests).toBe(before)
    expect(server.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`)
  })

  it('keeps the writer’s shape where there is no subject or no resolution', async () => {
    const { server, registry } = await setUp()
    await using _ = server
    server.schemas.set(1, { schema: JSON.stringify(V1) })
    server.latest.set('t-value', { schema: JSON.stringify(record({ name: 'other', type: 'int' })) })
    const decode = avroDecoder(registry)
    const bytes = encode(1, V1, { amount: 1, legacy: 'x' })
    expect(await decode('unknown', bytes)).toEqual({ amount: 1, legacy: 'x' })
    expect(await decode('t', bytes)).toEqual({ amount: 1, legacy: 'x' })
  })

  it('says what is wrong with a record, and that a registry which is down is no record’s fault', async () => {
    const { server, registry } = await setUp()
    await using _ = server
    server.schemas.set(1, { schema: JSON.stringify(V1) })
    const decode = avroDecoder(registry)
    expect(() => decode('t', Buffer.from('{}'))).toThrow(/wire format/)
    await expect(decode('t', wire(77, Buffer.alloc(4)))).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: 'the schema registry knows no schema id 77',
    })
    await expect(decode('t', wire(1, Buffer.alloc(3)))).rejects.toThrow()
    server.down = true
    await expect(decode('t', wire(5, Buffer.alloc(9)))).rejects.toMatchObject({ retryable: true })
    server.down = false
    server.schemas.set(5, { schema: JSON.stringify(V1) })
    expect(await decode('t', encode(5, V1, { amount: 4, legacy: '' }))).toMatchObject({ amount: 4 })
  })

  it('asks for an unknown schema once, not once a record', async () => {
    const { server, registry } = await setUp()
    await using _ = server
    const decode = avroDecoder(registry)
    for (let i = 0; i < 5; i++)
      await expect(decode('t', wire(9, Buffer.alloc(1)))).rejects.toThrow(/knows no/)
    expect(server.requests).toBe(1)
  })
})

describe('jsonSchemaDecoder', () => {
  it('reads JSON behind the header, of schemas that are for JSON', async () => {
    const { server, registry } = await setUp()
    await using _ = server
    server.schemas.set(1, { schemaType: 'JSON', schema: '{}' })
    server.schemas.set(2, { schema: JSON.stringify(V1) })
    const decode = jsonSchemaDecoder(registry)
    const payload = Buffer.from('{"amount":1}')
    expect(await decode('t', wire(1, payload))).toEqual({ amount: 1 })
    expect(decode('t', wire(1, payload))).toEqual({ amount: 1 })
    await expect(decode('t', wire(2, payload))).rejects.toThrow(/of type AVRO, not JSON/)
    await expect(decode('t', wire(3, payload))).rejects.toThrow(/knows no schema id 3/)
  })
})
