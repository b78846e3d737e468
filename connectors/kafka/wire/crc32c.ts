const POLYNOMIAL = 0x82f63b78
const SLICES = 16

/** tables[256 k + b]: what byte b does to the remainder, k bytes further on. */
const tables = ((): Int32Array => {
  const made = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[byte] = crc
  }
  for (let i = 256; i < made.length; i++) made[i] = (made[i - 256] >>> 8) ^ made[made[i - 256] & 0xff]
  return made
})()

/** What the bytes of a word do to the remainder, its first one `at / 256` bytes further on. */
function word(at: number, bytes: number): number {
  return (
    tables[at + (bytes & 0xff)] ^
    tables[at - 256 + ((bytes >>> 8) & 0xff)] ^
    tables[at - 512 + ((bytes >>> 16) & 0xff)] ^
    tables[at - 768 + (bytes >>> 24)]
  )
}

/**
 * CRC-32C (Castagnoli) of bytes[from, to), four words at a time (slicing-by-16; Kounavis and Berry 2005) on a
 * little-endian machine, which all that Node runs on are but one.
 */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = ~0
  let i = from
  const single = (end: number) => {
    for (; i < end; i++) crc = tables[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  }
  single(Math.min(to, from + (-(bytes.byteOffset + from) & 3)))
  if (LITTLE_ENDIAN && i < to) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, (to - i) >> 2)
    let w = 0
    for (const last = words.length - 4; w <= last; w += 4)
      crc =
        word(3840, crc ^ words[w]) ^
        word(2816, words[w + 1]) ^
        word(1792, words[w + 2]) ^
        word(768, words[w + 3])
    i += 4 * w
  }
  single(to)
  return ~crc >>> 0
}

const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1
