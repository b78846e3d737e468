const POLYNOMIAL = 0x82f63b78
const SLICES = 8

/** tables[k][b]: what byte b does to the remainder, k bytes further on. */
const tables = ((): readonly Uint32Array[] => {
  const made = Array.from({ length: SLICES }, () => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[0][byte] = crc
  }
  for (let k = 1; k < SLICES; k++)
    for (let byte = 0; byte < 256; byte++)
      made[k][byte] = (made[k - 1][byte] >>> 8) ^ made[0][made[k - 1][byte] & 0xff]
  return made
})()

/** CRC-32C (Castagnoli) of bytes[from, to), eight bytes at a time (slicing-by-8; Kounavis and Berry 2005). */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let crc = ~0
  let i = from
  for (const last = to - SLICES; i <= last; i += SLICES) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    crc =
      t7[crc & 0xff] ^
      t6[(crc >>> 8) & 0xff] ^
      t5[(crc >>> 16) & 0xff] ^
      t4[crc >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]]
  }
  for (; i < to; i++) crc = t0[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}
