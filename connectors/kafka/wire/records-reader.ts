import type { IHeaders } from 'kafkajs'
import { type BatchContext, FetchedRecord } from './fetched-record.ts'

const NO_HEADERS: IHeaders = {}

/** Appends `count` records of message format 2 to `into`; keys and values will be views of `bytes`. */
export function readRecords(
  bytes: Buffer,
  count: number,
  batchContext: BatchContext,
  into: FetchedRecord[],
): void {
  let at = 0
  /** Zigzag, seven bits a byte, the lowest first; exact to 2^53. */
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = bytes[at++]
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      if (at > bytes.length) throw new RangeError('a record ends in the middle of a number')
      scale *= 128
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  const sized = (): Buffer | null => {
    const length = varint()
    if (length < 0) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  for (let i = 0; i < count; i++) {
    const length = varint()
    const end = at + length
    if (end > bytes.length) throw new RangeError('a record batch ends in the middle of a record')
    const attributes = bytes[at++]
    const timeDelta = varint()
    const offsetDelta = varint()
    const keySize = varint()
    const keyAt = at
    if (keySize > 0) at += keySize
    const valueSize = varint()
    const valueAt = at
    if (valueSize > 0) at += valueSize
    let headers = NO_HEADERS
    for (let left = varint(); left > 0; left--) {
      if (headers === NO_HEADERS) headers = {}
      addHeader(headers, String(sized()), sized())
    }
    at = end
    into.push(
      new FetchedRecord(
        batchContext,
        bytes,
        attributes,
        offsetDelta,
        timeDelta,
        keyAt,
        keySize,
        valueAt,
        valueSize,
        headers,
      ),
    )
  }
}

/** A name that stands several times has its values in a list. */
function addHeader(headers: IHeaders, name: string, value: Buffer | null): void {
  const held = value ?? undefined
  if (!Object.hasOwn(headers, name)) {
    Object.defineProperty(headers, name, {
      value: held,
      enumerable: true,
      configurable: true,
      writable: true,
    })
    return
  }
  const before = headers[name]
  const values = Array.isArray(before) ? before : [before ?? '']
  headers[name] = [...values, held ?? '']
}
