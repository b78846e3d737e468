import { decodeJson } from './json.ts'
import type { ValueDecoder } from './record-decoder.ts'
import { readWireFormat, type SchemaRegistry } from './schema-registry.ts'

/** JSON in Confluent’s wire format. The schema must exist and be one for JSON; producers validate against it. */
export function jsonSchemaDecoder(registry: SchemaRegistry): ValueDecoder {
  const checked = new Set<number>()
  return (topic, value) => {
    const { id, payload } = readWireFormat(value)
    if (checked.has(id)) return decodeJson(topic, payload)
    return registry.byId(id).then(({ schemaType }) => {
      if (schemaType !== 'JSON')
        throw new Error(`schema id ${id} is of type ${schemaType ?? 'AVRO'}, not JSON`)
      checked.add(id)
      return decodeJson(topic, payload)
    })
  }
}
