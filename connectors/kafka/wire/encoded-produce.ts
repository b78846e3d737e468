import type { Message } from 'kafkajs'
import { codecOf } from './codecs.ts'
import { int16, int32, text } from './primitives.ts'
import { recordBatch } from './record-batch.ts'
import { Parts } from './whole-request.ts'

interface ProduceArguments {
  readonly acks: number
  readonly timeout: number
  readonly compression?: number
  readonly transactionalId?: string | null
  readonly producerId?: { toString(): string } | number
  readonly producerEpoch?: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly messages: readonly Message[]
      readonly firstSequence?: number
    }[]
  }[]
}
interface Encoded {
  readonly buf: Buffer
  readonly buffer: Buffer
}
interface Exchange {
  readonly request: { encode(): Promise<Encoded> }
  readonly response: unknown
}
/** What kafkajs knows of Kafka’s Produce requests. */
export interface ProduceProtocol {
  readonly protocol: (version: { version: number }) => (args: ProduceArguments) => Exchange
}

/** From here on a request holds one record batch a partition. */
const FIRST_WITH_BATCHES = 3

/** The same protocol, whose requests are encoded here. */
export function encodedProduce(before: ProduceProtocol): ProduceProtocol {
  return {
    ...before,
    protocol({ version }) {
      const exchange = before.protocol({ version })
      if (version < FIRST_WITH_BATCHES) return exchange
      return (args) => {
        const { request, response } = exchange(args)
        return { request: { ...request, encode: () => encode(args) }, response }
      }
    },
  }
}

async function encode(args: ProduceArguments): Promise<Parts> {
  const { acks, timeout, topicData, compression = 0, producerEpoch = 0 } = args
  const transactionalId = args.transactionalId ?? null
  const codec = codecOf(compression)
  const common = {
    producerId: BigInt(String(args.producerId ?? -1)),
    producerEpoch,
    transactional: transactionalId !== null,
    codec: compression,
    ...(codec && { compress: (buffer: Buffer) => codec.compress({ buffer }) }),
  }
  const parts = [text(transactionalId), int16(acks), int32(timeout), int32(topicData.length)]
  for (const { topic, partitions } of topicData) {
    parts.push(text(topic), int32(partitions.length))
    for (const { partition, messages, firstSequence = 0 } of partitions) {
      const batch = await recordBatch(messages, { ...common, firstSequence })
      parts.push(int32(partition), int32(batch.length), batch)
    }
  }
  return new Parts(parts)
}
