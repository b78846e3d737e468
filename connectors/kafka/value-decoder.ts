import { SurprisalError } from '../../src/core/errors.ts'
import { arrayDecoder, decodeJson } from './json.ts'
import type { KafkaSourceOptions } from './options.ts'
import type { ValueDecoder } from './record-decoder.ts'

/** What reads the values of a source's messages. */
export async function valueDecoder(options: KafkaSourceOptions): Promise<ValueDecoder> {
  switch (options.format) {
    case 'json':
      return decodeJson
    case 'array':
      return arrayDecoder(options.fields)
    default:
      throw new SurprisalError('CONFIG_INVALID', `source.format ${options.format} is not known`)
  }
}
