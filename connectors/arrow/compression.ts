import { CompressionType, compressionRegistry } from 'apache-arrow'
import { decompress as unzstd } from 'fzstd'
import { compress as lz4, decompress as unlz4 } from 'lz4js'

/** Teaches the Arrow reader both codecs of the IPC format: LZ4 frames (pyarrow's Feather default) and ZSTD. */
export function registerCodecs(): void {
  if (compressionRegistry.get(CompressionType.LZ4_FRAME) !== null) return
  compressionRegistry.set(CompressionType.LZ4_FRAME, { encode: lz4, decode: unlz4 })
  compressionRegistry.set(CompressionType.ZSTD, { decode: unzstd })
}
