/** What takes the value of one key; null stands for null. */
export type TakeValue = (value: number | string | boolean | null) => void

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const EXACT_DIGITS = 15
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i)
const LITERALS = [
  [Buffer.from('true'), true],
  [Buffer.from('false'), false],
  [Buffer.from('null'), null],
] as const

/**
 * The keys of an object as they stand in its text, in order; undefined where it holds more than numbers, texts, booleans
 * and nulls, or a key that JSON writes in more than one way.
 */
export function flatKeys(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const keys = Object.keys(value)
  const plain = keys.every((key) => /^[ !#-[\]-~]+$/.test(key))
  const flat = Object.values(value).every((leaf) => leaf === null || typeof leaf !== 'object')
  return plain && flat && keys.length > 0 ? keys : undefined
}

/**
 * Reads JSON objects that have the same keys in the same order, as one producer writes them, without making the objects.
 * What it takes is what JSON.parse gives for them; of what it does not take (another order, nesting, escapes, text
 * beyond ASCII, exponents) it says so, and JSON.parse is to be asked.
 */
export class FlatReader {
  private readonly keys: readonly Buffer[]
  private readonly takers: readonly (TakeValue | undefined)[]
  private bytes: Buffer = Buffer.alloc(0)
  private at = 0

  /** @param takers one a key; undefined where nobody asks for it. */
  constructor(keys: readonly string[], takers: readonly (TakeValue | undefined)[]) {
    this.keys = keys.map((key) => Buffer.from(`"${key}"`))
    this.takers = takers
  }

  /** False where bytes [from, to) hold anything but such an object: some of it may have been taken by then. */
  read(bytes: Buffer, from: number, to: number): boolean {
    this.bytes = bytes
    this.at = from
    if (!this.sign(OPEN)) return false
    for (let k = 0; k < this.keys.length; k++) {
      if (k > 0 && !this.sign(COMMA)) return false
      if (!this.word(this.keys[k]) || !this.sign(COLON) || !this.value(this.takers[k], to)) return false
    }
    return this.sign(CLOSE) && this.at === to
  }

  /** A sign of the grammar, and the spaces after it. */
  private sign(sign: number): boolean {
    const { bytes } = this
    if (bytes[this.at] !== sign) return false
    this.at++
    while (bytes[this.at] === 0x20) this.at++
    return true
  }

  private word(word: Buffer): boolean {
    const { bytes, at } = this
    for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
    this.at = at + word.length
    return true
  }

  private value(take: TakeValue | undefined, to: number): boolean {
    const first = this.bytes[this.at]
    if (first === MINUS || (first >= ZERO && first <= ZERO + 9)) return this.number(take)
    if (first === QUOTE) return this.text(take, to)
    for (const [word, value] of LITERALS)
      if (first === word[0]) {
        take?.(value)
        return this.word(word)
      }
    return false
  }

  private text(take: TakeValue | undefined, to: number): boolean {
    const { bytes } = this
    const from = ++this.at
    let at = from
    for (; bytes[at] !== QUOTE; at++)
      if (at >= to || bytes[at] < 0x20 || bytes[at] > 0x7e || bytes[at] === BACKSLASH) return false
    take?.(bytes.toString('latin1', from, at))
    this.at = at + 1
    return true
  }

  /** Up to 15 digits make an integer that a float64 holds, and so does their power of ten: one division rounds once. */
  private number(take: TakeValue | undefined): boolean {
    const { bytes } = this
    const from = this.at
    const negative = bytes[from] === MINUS
    const whole = negative ? from + 1 : from
    let at = whole
    let digits = 0
    for (let digit = bytes[at] - ZERO; digit >= 0 && digit <= 9; digit = bytes[at] - ZERO) {
      digits = 10 * digits + digit
      at++
    }
    let count = at - whole
    if (count === 0 || (count > 1 && bytes[whole] === ZERO)) return false
    let fraction = 0
    if (bytes[at] === DOT) {
      const start = ++at
      for (let digit = bytes[at] - ZERO; digit >= 0 && digit <= 9; digit = bytes[at] - ZERO) {
        digits = 10 * digits + digit
        at++
      }
      fraction = at - start
      if (fraction === 0) return false
      count += fraction
    }
    if ((bytes[at] | 0x20) === 0x65) return false
    this.at = at
    if (count > EXACT_DIGITS) take?.(Number(bytes.toString('latin1', from, at)))
    else {
      const size = fraction === 0 ? digits : digits / POWERS[fraction]
      take?.(negative ? -size : size)
    }
    return true
  }
}
