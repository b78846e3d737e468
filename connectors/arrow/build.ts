import {
  Bool,
  type Data,
  type Dictionary,
  Float64,
  Int32,
  type List,
  makeData,
  type TimestampMillisecond,
  Utf8,
  type Vector,
} from 'apache-arrow'
import { packBits } from '../../src/core/bits.ts'
import { type Origin, offsetOf } from '../../src/core/record.ts'

/** A null bitmap for makeData; `known` holds a non-zero entry for each row that has a value. */
export function nulls(known: ArrayLike<number> | undefined): { nullBitmap?: Uint8Array; nullCount: number } {
  if (known === undefined) return { nullCount: 0 }
  let count = 0
  for (let i = 0; i < known.length; i++) if (known[i] === 0) count++
  return count === 0 ? { nullCount: 0 } : { nullBitmap: packBits(known), nullCount: count }
}

export function floats(values: Float64Array, known?: ArrayLike<number>): Data {
  return makeData({ type: new Float64(), length: values.length, data: values, ...nulls(known) })
}

export function integers(values: Int32Array): Data {
  return makeData({ type: new Int32(), length: values.length, data: values, nullCount: 0 })
}

/** True where the flag is not zero. */
export function booleans(flags: Uint8Array, known?: ArrayLike<number>): Data {
  return makeData({ type: new Bool(), length: flags.length, data: packBits(flags), ...nulls(known) })
}

export function codes(
  type: Dictionary,
  indices: Int8Array,
  dictionary: Vector,
  known?: ArrayLike<number>,
): Data {
  return makeData({ type, length: indices.length, data: indices, dictionary, ...nulls(known) })
}

/** Epoch milliseconds as int64 words; missing where not finite. */
export function times(type: TimestampMillisecond, values: Float64Array, known?: ArrayLike<number>): Data {
  const words = new Int32Array(values.length * 2)
  const present = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!Number.isFinite(value) || known?.[i] === 0) continue
    const whole = Math.floor(value)
    words[2 * i] = (whole % 4294967296) | 0
    words[2 * i + 1] = Math.floor(whole / 4294967296)
    present[i] = 1
  }
  const data = new BigInt64Array(words.buffer)
  return makeData({ type, length: values.length, data, ...nulls(present) })
}

/** UTF-8 text of each row; missing where null. */
export function texts(rows: number, textOf: (row: number) => string | null): Data {
  const offsets = new Int32Array(rows + 1)
  const present = new Uint8Array(rows)
  const parts: string[] = []
  let length = 0
  for (let row = 0; row < rows; row++) {
    const text = textOf(row)
    if (text !== null) {
      parts.push(text)
      present[row] = 1
      length += Buffer.byteLength(text)
    }
    offsets[row + 1] = length
  }
  const data = Buffer.from(parts.join(''))
  return makeData({ type: new Utf8(), length: rows, valueOffsets: offsets, data, ...nulls(present) })
}

/** A list of texts for each row, empty where the map has none. */
export function textLists(
  type: List<Utf8>,
  lists: ReadonlyMap<number, readonly string[]>,
  rows: number,
): Data {
  const offsets = new Int32Array(rows + 1)
  const items: string[] = []
  for (let row = 0; row < rows; row++) {
    const list = lists.get(row)
    if (list !== undefined) items.push(...list)
    offsets[row + 1] = items.length
  }
  const child = texts(items.length, (i) => items[i]) as Data<Utf8>
  return makeData({ type, length: rows, valueOffsets: offsets, child, nullCount: 0 })
}

/** `<prefix>-<offset>` of each row, without a string in between. */
export function ids(origin: Origin, rows: number): Data {
  const prefix = Buffer.from(`${origin.prefix}-`)
  const offsets = new Int32Array(rows + 1)
  const MAX_DIGITS = 17
  const bytes = Buffer.allocUnsafe(rows * (prefix.length + MAX_DIGITS))
  let at = 0
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < prefix.length; i++) bytes[at++] = prefix[i]
    at = writeDigits(bytes, at, offsetOf(origin, row))
    offsets[row + 1] = at
  }
  const data = bytes.subarray(0, at)
  return makeData({ type: new Utf8(), length: rows, valueOffsets: offsets, data, nullCount: 0 })
}

function writeDigits(bytes: Buffer, at: number, value: number): number {
  let end = at + 1
  for (let v = value; v >= 10; v = Math.floor(v / 10)) end++
  for (let i = end - 1, v = value; i >= at; i--, v = Math.floor(v / 10)) bytes[i] = 48 + (v % 10)
  return end
}
