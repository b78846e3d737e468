import type { Admin, Kafka } from 'kafkajs'
import type { Logger } from '../../../src/core/telemetry.ts'
import { brokersOf } from '../client.ts'
import { isUnknownTopic, kafkaError } from '../errors.ts'
import type { KafkaOptions } from '../options.ts'
import type { OffsetRange } from './partition-reader.ts'
import { patiently } from './patience.ts'

/** The offsets of topics from a time (epoch milliseconds) on, up to their present ends. */
export async function offsetRanges(
  client: Kafka,
  kafka: KafkaOptions,
  topics: readonly string[],
  since: number,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<OffsetRange[]> {
  const admin = client.admin()
  const pauseMs = kafka['retry.backoff.ms']
  try {
    await admin.connect()
    const ranges: OffsetRange[] = []
    for (const topic of topics) {
      const patience = { pauseMs, signal, logger, waiting: { topic }, hopeless: isUnknownTopic }
      ranges.push(...(await patiently(() => rangesOf(admin, topic, since), patience)))
    }
    return ranges
  } catch (error) {
    signal.throwIfAborted()
    throw kafkaError(error, 'to list offsets', brokersOf(kafka).join(','))
  } finally {
    await admin.disconnect()
  }
}

async function rangesOf(admin: Admin, topic: string, since: number): Promise<OffsetRange[]> {
  const starts = since > 0 ? await admin.fetchTopicOffsetsByTimestamp(topic, since) : []
  const offsets = await admin.fetchTopicOffsets(topic)
  return offsets.map(({ partition, low, high }) => {
    const start = Number(starts.find((s) => s.partition === partition)?.offset ?? low)
    return { topic, partition, from: Math.max(start, Number(low)), to: Number(high) }
  })
}
