import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32c } from '../../../../connectors/kafka/wire/crc32c.ts'

function bitByBit(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

it('is CRC-32C, of any stretch of bytes', () => {
  // The check value and the vectors of RFC 3720, B.4.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (bytes, from) => {
      expect(crc32c(bytes, Math.min(from, bytes.length))).toBe(bitByBit(bytes.subarray(from)))
    }),
  )
})
