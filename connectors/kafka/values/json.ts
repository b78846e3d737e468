import { isUtf8 } from 'node:buffer'
import type { ValueDecoder } from './record-decoder.ts'

function parse(value: Buffer): unknown {
  if (!isUtf8(value)) throw new Error('the value is not valid UTF-8')
  return JSON.parse(value.toString('utf8'))
}

/** One JSON object per message. */
export const decodeJson: ValueDecoder = Object.assign(readObject, { plainJson: true as const })

function readObject(_topic: string, value: Buffer): unknown {
  const record = parse(value)
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw new Error(`a JSON object is expected, not ${Array.isArray(record) ? 'an array' : typeof record}`)
  return record
}

/** One JSON array of numbers (or nulls) per message; element i goes by the i-th name of `fields`, else by `i`. */
export function arrayDecoder(fields: readonly string[] | undefined): ValueDecoder {
  return (_topic, value) => {
    const cells = parse(value)
    if (!Array.isArray(cells)) throw new Error('a JSON array of numbers is expected')
    const wrong = cells.findIndex((cell) => typeof cell !== 'number' && cell !== null)
    if (wrong >= 0) throw new Error(`element ${wrong} is not a number`)
    if (fields === undefined) return { ...cells }
    if (cells.length !== fields.length)
      throw new Error(`${cells.length} numbers were sent where ${fields.length} fields are declared`)
    return Object.fromEntries(fields.map((name, i) => [name, cells[i]]))
  }
}
