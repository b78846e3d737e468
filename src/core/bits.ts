/** Bits [from, from + count) of an Arrow bitmap as a bitmap of its own, starting at bit 0 and padded with zeros. */
export function sliceBits(bitmap: Uint8Array, from: number, count: number): Uint8Array {
  const bytes = (count + 7) >> 3
  const start = from >> 3
  const shift = from & 7
  const bits = new Uint8Array(bytes)
  for (let i = 0; i < bytes; i++) {
    const low = bitmap[start + i]
    bits[i] = shift === 0 ? low : (low >> shift) | ((bitmap[start + i + 1] ?? 0) << (8 - shift))
  }
  if ((count & 7) !== 0) bits[bytes - 1] &= (1 << (count & 7)) - 1
  return bits
}

/** One byte, 0 or 1, for each of the bits [from, from + count). */
export function spreadBits(bitmap: Uint8Array, from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count)
  for (let i = 0; i < count; i++) bytes[i] = (bitmap[(from + i) >> 3] >> ((from + i) & 7)) & 1
  return bytes
}

/** A bitmap of non-zero entries. */
export function packBits(flags: ArrayLike<number>): Uint8Array {
  const bits = new Uint8Array((flags.length + 7) >> 3)
  for (let i = 0; i < flags.length; i++) if (flags[i] !== 0) bits[i >> 3] |= 1 << (i & 7)
  return bits
}

export function isSet(bitmap: Uint8Array | undefined, bit: number): boolean {
  return bitmap === undefined || ((bitmap[bit >> 3] >> (bit & 7)) & 1) === 1
}
