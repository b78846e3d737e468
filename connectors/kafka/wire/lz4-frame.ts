import lz4 from 'lz4js'

/** Magic number, version 1 with independent blocks, blocks of up to 4 MiB, and the checksum of those two bytes. */
const HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73])
const BLOCK = 1 << 22
const END = Buffer.alloc(4)

/** An LZ4 frame that Kafka’s own clients read: they take independent blocks alone, and lz4js declares all dependent. */
export function lz4Frame(plain: Buffer): Buffer {
  const parts: Uint8Array[] = [HEADER]
  for (let from = 0; from < plain.length; from += BLOCK) {
    const frame = lz4.compress(plain.subarray(from, from + BLOCK))
    parts.push(frame.subarray(HEADER.length, frame.length - END.length))
  }
  return Buffer.concat([...parts, END])
}
