import type { KafkaSourceOptions } from '../options.ts'
import { arrayDecoder, decodeJson } from './json.ts'
import type { ValueDecoder } from './record-decoder.ts'
import { SchemaRegistry } from './schema-registry.ts'

/** What reads the values of a source's messages. */
export async function valueDecoder(options: KafkaSourceOptions): Promise<ValueDecoder> {
  switch (options.format) {
    case 'json':
      return decodeJson
    case 'array':
      return arrayDecoder(options.fields)
    case 'avro': {
      const { avroDecoder } = await import('./avro.ts')
      return avroDecoder(new SchemaRegistry(options.schema_registry!))
    }
    case 'json-schema': {
      const { jsonSchemaDecoder } = await import('./json-schema.ts')
      return jsonSchemaDecoder(new SchemaRegistry(options.schema_registry!))
    }
  }
}
