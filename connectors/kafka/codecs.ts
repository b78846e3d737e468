import { decompress as unzstd } from 'fzstd'
import kafkajs, { CompressionTypes } from 'kafkajs'
import snappy from 'kafkajs-snappy'
import lz4 from 'lz4js'
import { SurprisalError } from '../../src/core/errors.ts'

const readOnly = (name: string, decompress: (bytes: Buffer) => Uint8Array) => () => ({
  async compress(): Promise<Buffer> {
    throw new SurprisalError('USAGE', `${name} is read, not written: set compression.type to none or gzip`)
  },
  async decompress(bytes: Buffer): Promise<Buffer> {
    const plain = decompress(bytes)
    return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
  },
})

let registered = false

/** kafkajs knows gzip alone; producers of other makes also send Snappy, LZ4 and Zstandard. */
export function registerCodecs(): void {
  if (registered) return
  registered = true
  // Node does not see this one among the names of a CommonJS module.
  const { CompressionCodecs } = kafkajs
  CompressionCodecs[CompressionTypes.Snappy] = snappy
  CompressionCodecs[CompressionTypes.LZ4] = readOnly('LZ4', (bytes) => lz4.decompress(bytes))
  CompressionCodecs[CompressionTypes.ZSTD] = readOnly('Zstandard', (bytes) => unzstd(bytes))
}
