import avro, { type Schema, type Type } from 'avsc'
import type { ValueDecoder } from './record-decoder.ts'
import { type RegisteredSchema, readWireFormat, type SchemaRegistry } from './schema-registry.ts'

/** Numbers of 64 bits as float64, exact to 2^53: beyond it a score cannot tell neighbours apart anyway. */
const LONG = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer: (value: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(value))
    return bytes
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: Number.isSafeInteger,
  compare: (a: number, b: number) => Math.sign(a - b),
})

type Reader = (payload: Buffer) => unknown

/**
 * Avro in Confluent’s wire format. Each record is read with the schema that wrote it and given the shape of the
 * newest schema of `<topic>-value`: fields added with a default are filled in, removed ones dropped. Where the two
 * cannot be resolved, or there is no such subject, the writer’s own shape stays.
 */
export function avroDecoder(registry: SchemaRegistry): ValueDecoder {
  const readers = new Map<string, Reader | Promise<Reader>>()
  return (topic, value) => {
    const { id, payload } = readWireFormat(value)
    const key = `${topic} ${id}`
    const reader = readers.get(key)
    if (typeof reader === 'function') return reader(payload)
    const made = reader ?? makeReader(registry, topic, id)
    readers.set(key, made)
    return Promise.resolve(made).then(
      (read) => {
        readers.set(key, read)
        return read(payload)
      },
      (error) => {
        readers.delete(key)
        throw error
      },
    )
  }
}

async function makeReader(registry: SchemaRegistry, topic: string, id: number): Promise<Reader> {
  const writer = await typeOf(registry, await registry.byId(id))
  const newest = await registry.latest(`${topic}-value`)
  if (newest !== undefined && (newest.schemaType ?? 'AVRO') === 'AVRO') {
    const shape = await typeOf(registry, newest)
    try {
      const resolver = shape.createResolver(writer)
      return (payload) => shape.fromBuffer(payload, resolver)
    } catch {
      // Incompatible by Avro’s rules.
    }
  }
  return (payload) => writer.fromBuffer(payload)
}

async function typeOf(registry: SchemaRegistry, registered: RegisteredSchema): Promise<Type> {
  const { schemaType = 'AVRO', schema } = registered
  if (schemaType !== 'AVRO') throw new Error(`the schema is of type ${schemaType}, not AVRO`)
  const named = { long: LONG } as Record<string, Type>
  await addReferences(registry, registered, named)
  return avro.Type.forSchema(JSON.parse(schema) as Schema, { registry: named })
}

async function addReferences(
  registry: SchemaRegistry,
  { references = [] }: RegisteredSchema,
  named: Record<string, Type>,
): Promise<void> {
  for (const { name, subject, version } of references) {
    if (named[name] !== undefined) continue
    const referenced = await registry.byVersion(subject, version)
    await addReferences(registry, referenced, named)
    avro.Type.forSchema(JSON.parse(referenced.schema) as Schema, { registry: named })
  }
}
