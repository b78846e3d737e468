import type { Kafka } from 'kafkajs'
import { brokersOf } from '../client.ts'
import { kafkaError } from '../errors.ts'
import type { KafkaOptions } from '../options.ts'
import type { OffsetRange } from './partition-reader.ts'

/** The offsets of topics from a time (epoch milliseconds) on, up to their present ends. */
export async function offsetRanges(
  client: Kafka,
  kafka: KafkaOptions,
  topics: readonly string[],
  since: number,
): Promise<OffsetRange[]> {
  const admin = client.admin()
  try {
    await admin.connect()
    const ranges: OffsetRange[] = []
    for (const topic of topics) {
      const starts = since > 0 ? await admin.fetchTopicOffsetsByTimestamp(topic, since) : []
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const start = Number(starts.find((s) => s.partition === partition)?.offset ?? low)
        ranges.push({ topic, partition, from: Math.max(start, Number(low)), to: Number(high) })
      }
    }
    return ranges
  } catch (error) {
    throw kafkaError(error, 'to list offsets', brokersOf(kafka).join(','))
  } finally {
    await admin.disconnect()
  }
}
