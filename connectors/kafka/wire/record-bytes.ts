import type { IHeaders, Message } from 'kafkajs'

type Text = Buffer | string | null
const NO_HEADERS: readonly [name: string, value: Text][] = []
/** A varint of 32 or 64 bits takes at most this many bytes. */
const VARINT = 10

/** Records of Kafka’s message format 2, one after the other. */
export class RecordBytes {
  private bytes: Buffer
  private at: number

  /**
   * @param offset bytes that are left free at the start.
   * @param capacity how many there may be; more are taken.
   */
  constructor(offset: number, capacity: number) {
    this.at = offset
    this.bytes = Buffer.allocUnsafe(offset + capacity)
  }

  written(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  /** Adds a record; deltas are to the batch’s first offset and timestamp. */
  add({ key = null, value, headers }: Message, offsetDelta: number, timeDelta: number): void {
    const list = headers === undefined ? NO_HEADERS : entriesOf(headers)
    const keySize = sizeOf(key)
    const valueSize = sizeOf(value)
    let body = 1 + varintSize(timeDelta) + varintSize(offsetDelta) + sized(keySize) + sized(valueSize)
    body += varintSize(list.length)
    for (const [name, text] of list) body += sized(Buffer.byteLength(name)) + sized(sizeOf(text))
    this.reserve(body + VARINT)
    this.varint(body)
    this.bytes[this.at++] = 0
    this.varint(timeDelta)
    this.varint(offsetDelta)
    this.text(key, keySize)
    this.text(value, valueSize)
    this.varint(list.length)
    for (const [name, text] of list) {
      this.text(name, Buffer.byteLength(name))
      this.text(text, sizeOf(text))
    }
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(2 * Math.max(this.bytes.length, this.at + more))
    this.bytes.copy(grown, 0, 0, this.at)
    this.bytes = grown
  }

  private text(text: Text, size: number): void {
    this.varint(size)
    if (text === null) return
    if (typeof text === 'string') this.bytes.write(text, this.at, 'utf8')
    else text.copy(this.bytes, this.at)
    this.at += size
  }

  /** Zigzag, seven bits a byte, the lowest first. */
  private varint(value: number): void {
    const { bytes } = this
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes[this.at++] = (rest % 128) | 0x80
    bytes[this.at++] = rest
  }
}

/** −1 stands for null. */
function sizeOf(text: Text): number {
  if (text === null) return -1
  return typeof text === 'string' ? Buffer.byteLength(text) : text.length
}

function sized(size: number): number {
  return varintSize(size) + Math.max(size, 0)
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

/** A header that stands several times is an array. */
function entriesOf(headers: IHeaders): [string, Text][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, Text] => [name, one ?? null]),
  )
}
