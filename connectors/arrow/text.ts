import { isSet } from '../../src/core/bits.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import type { StringColumn } from '../../src/core/record.ts'

/** UTF-8 values laid end to end: value i is bytes[offsets[i] … offsets[i + 1]). */
export interface Utf8Values {
  readonly bytes: Uint8Array
  readonly offsets: ArrayLike<number> | BigInt64Array
}

/**
 * Rows [from, from + count) of UTF-8 values as a dictionary-encoded column. Each distinct value is decoded once:
 * an open-addressing table over the bytes (FNV-1a) finds the codes.
 */
export function internUtf8(
  { bytes, offsets }: Utf8Values,
  from: number,
  count: number,
  validity: Uint8Array | undefined,
): StringColumn {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const codes = new Int32Array(count)
  const dictionary: string[] = []
  const starts: number[] = []
  const ends: number[] = []
  let mask = 1023
  let table = new Int32Array(mask + 1).fill(-1)
  const slotOf = (start: number, end: number): number => {
    let hash = 0x811c9dc5
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
    let slot = (hash ^ (hash >>> 15)) & mask
    for (let code = table[slot]; code >= 0; code = table[slot]) {
      if (sameBytes(bytes, start, end, starts[code], ends[code])) break
      slot = (slot + 1) & mask
    }
    return slot
  }
  for (let i = 0; i < count; i++) {
    if (!isSet(validity, i)) continue
    const start = Number(offsets[from + i])
    const end = Number(offsets[from + i + 1])
    if (!(start >= 0 && start <= end && end <= bytes.length)) throw outOfRange()
    const slot = slotOf(start, end)
    if (table[slot] >= 0) {
      codes[i] = table[slot]
      continue
    }
    codes[i] = dictionary.length
    table[slot] = dictionary.length
    dictionary.push(buffer.toString('utf8', start, end))
    starts.push(start)
    ends.push(end)
    if (dictionary.length * 2 > mask) {
      mask = mask * 2 + 1
      table = new Int32Array(mask + 1).fill(-1)
      for (let code = 0; code < dictionary.length; code++) table[slotOf(starts[code], ends[code])] = code
    }
  }
  return { kind: 'string', codes, dictionary, ...(validity && { validity }) }
}

/** Rows of the view layout: 16 bytes each, the text inline up to 12 bytes, else (prefix, buffer, offset). */
export function internViews(
  views: Uint8Array,
  buffers: readonly Uint8Array[],
  from: number,
  count: number,
  validity: Uint8Array | undefined,
): StringColumn {
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength)
  const texts = buffers.map((b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength))
  const inline = Buffer.from(views.buffer, views.byteOffset, views.byteLength)
  const index = new Map<string, number>()
  const codes = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    if (!isSet(validity, i)) continue
    const at = (from + i) * 16
    if (at + 16 > views.length) throw outOfRange()
    const length = view.getInt32(at, true)
    const source = length <= 12 ? inline : texts[view.getInt32(at + 8, true)]
    const start = length <= 12 ? at + 4 : view.getInt32(at + 12, true)
    if (length < 0 || source === undefined || start < 0 || start + length > source.length) throw outOfRange()
    const text = source.toString('utf8', start, start + length)
    const known = index.get(text)
    codes[i] = known ?? index.size
    if (known === undefined) index.set(text, index.size)
  }
  return { kind: 'string', codes, dictionary: [...index.keys()], ...(validity && { validity }) }
}

function outOfRange(): SurprisalError {
  return new SurprisalError('FILE_FORMAT', 'text values point outside their buffer')
}

function sameBytes(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false
  while (a < aEnd) if (bytes[a++] !== bytes[b++]) return false
  return true
}
