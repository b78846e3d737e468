import { promisify } from 'node:util'
import zlib, { gunzip, gzip } from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import snappy from 'kafkajs-snappy'
import lz4 from 'lz4js'
import { SurprisalError } from '../../../src/core/errors.ts'
import { lz4Frame } from './lz4-frame.ts'

export interface Codec {
  compress(plain: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** librdkafka’s names, in the order of their ids in the message format. */
export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CompressionType = (typeof COMPRESSION_TYPES)[number]

type Zstandard = (bytes: Buffer) => Buffer
/** From Node 22.15 on; absent from the types of older ones. */
const zstdCompress = (zlib as { zstdCompressSync?: Zstandard }).zstdCompressSync

const view = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const codecs: readonly (Codec | undefined)[] = [
  undefined,
  {
    compress: ({ buffer }) => promisify(gzip)(buffer),
    decompress: (bytes) => promisify(gunzip)(bytes),
  },
  snappy(),
  {
    compress: async ({ buffer }) => lz4Frame(buffer),
    decompress: async (bytes) => view(lz4.decompress(bytes)),
  },
  {
    async compress({ buffer }) {
      if (zstdCompress === undefined) throw new SurprisalError('CONFIG_INVALID', zstdAdvice())
      return zstdCompress(buffer)
    },
    decompress: async (bytes) => view(unzstd(bytes)),
  },
]

/** What a record batch’s codec id stands for; undefined for none. */
export function codecOf(id: number): Codec | undefined {
  if (id < codecs.length) return codecs[id]
  throw new SurprisalError('RECORD_INVALID', `a record batch is compressed by an unknown codec, number ${id}`)
}

/** Undefined where this Node can compress so. */
export function compressionFault(type: CompressionType): string | undefined {
  return type === 'zstd' && zstdCompress === undefined ? zstdAdvice() : undefined
}

function zstdAdvice(): string {
  return `kafka.compression.type zstd needs Node 22.15 or newer and this is ${process.version}: choose lz4, snappy or gzip`
}
