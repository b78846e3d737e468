import type { ICustomPartitioner } from 'kafkajs'
import { Partitioners } from '../wire/kafkajs.ts'

/** Where Kafka’s Java client would put a message of this key; by the client’s own rule where there is none. */
export const keyPartitioner: ICustomPartitioner = () => {
  const others = Partitioners.DefaultPartitioner()
  return (args) => {
    const { message, partitionMetadata } = args
    const { key, partition } = message
    if (key === null || key === undefined || partition !== undefined) return others(args)
    return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitionMetadata.length
  }
}

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** MurmurHash2, 32 bits, with the seed that Kafka takes (A. Appleby 2008). */
export function murmur2(data: Uint8Array): number {
  const { length } = data
  let hash = SEED ^ length
  let i = 0
  for (; i + 4 <= length; i += 4) {
    let k = data[i] | (data[i + 1] << 8) | (data[i + 2] << 16) | (data[i + 3] << 24)
    k = Math.imul(k, M)
    k = Math.imul(k ^ (k >>> 24), M)
    hash = Math.imul(hash, M) ^ k
  }
  if (i < length) {
    for (let rest = length - 1; rest >= i; rest--) hash ^= data[rest] << (8 * (rest - i))
    hash = Math.imul(hash, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}
