import { SurprisalError } from '../../core/errors.ts'
import type { RecordBatch } from '../../core/record.ts'
import { SILENT } from '../../core/telemetry.ts'

/** The first JSON records that a topic holds, up to about `limit`. FILE_EMPTY where it holds none. */
export async function sampleTopic(
  brokers: string,
  topic: string,
  limit: number,
  signal: AbortSignal,
): Promise<RecordBatch[]> {
  const { kafkaOptions, kafkaSourceOptions } = await import('../../../connectors/kafka/options.ts')
  const { RecordDecoder } = await import('../../../connectors/kafka/values/record-decoder.ts')
  const { TopicReplay } = await import('../../../connectors/kafka/replay.ts')
  const { decodeJson } = await import('../../../connectors/kafka/values/json.ts')
  const options = kafkaSourceOptions.parse({ type: 'kafka', topics: [topic] })
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers })
  const replay = new TopicReplay(kafka, options, new RecordDecoder(options, decodeJson), SILENT)
  const batches: RecordBatch[] = []
  let rows = 0
  for await (const batch of replay.records(0, signal)) {
    if (batch.rows > 0) batches.push(batch)
    rows += batch.rows
    if (rows >= limit) break
  }
  if (rows === 0)
    throw new SurprisalError(
      'FILE_EMPTY',
      `topic ${topic} at ${brokers} holds no record that is a JSON object`,
    )
  return batches
}
