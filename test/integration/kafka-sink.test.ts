import { tableFromIPC } from 'apache-arrow'
import { expect, it } from 'vitest'
import { kafkaOptions, kafkaSinkOptions } from '../../connectors/kafka/options.ts'
import { KafkaSink } from '../../connectors/kafka/sink.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { sinkSuite } from '../conformance/sink.suite.ts'
import { sinkBatch } from '../conformance/sink-batch.ts'
import { runKafkaTool } from '../services/kafka.ts'
import { shared } from '../services/shared.ts'
import { newTopic, readTopic, testKafka } from '../services/topics.ts'

async function size(brokers: string, topic: string): Promise<number> {
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const [{ high }] = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  return Number(high)
}

/** A topic that takes no message longer than this. */
async function limitTo(brokers: string, topic: string, bytes: number): Promise<void> {
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const configEntries = [{ name: 'max.message.bytes', value: String(bytes) }]
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
  await admin.disconnect()
}

async function sinkTo(brokers: string, settings: object, client: object = {}) {
  const kafka = kafkaOptions.parse({
    'bootstrap.servers': brokers,
    'retry.backoff.ms': 10,
    'socket.connection.setup.timeout.ms': 1000,
    ...client,
  })
  return new KafkaSink(kafka, kafkaSinkOptions.parse({ type: 'kafka', ...settings }), 'in', SILENT)
}

sinkSuite('KafkaSink', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'sink')
  return {
    create: () => sinkTo(brokers, { scored: topic, anomalies: false }),
    async read() {
      const records = await size(brokers, topic)
      if (records === 0) return []
      const messages = await readTopic(brokers, topic, (_, count) => count === records)
      return messages.map(({ value }) => JSON.parse(String(value)))
    },
    breakDown: () => limitTo(brokers, topic, 1),
    heal: () => limitTo(brokers, topic, 1_048_588),
    async [Symbol.asyncDispose]() {},
  }
})

it('packs a batch into Arrow streams that fit a request', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'packed')
  await using sink = await sinkTo(brokers, { scored: topic, anomalies: false, encoding: 'packed' })
  await sink.open()
  const scored = sinkBatch({ rows: 20_000 })
  await sink.write(scored)
  const packed = await size(brokers, topic)
  expect(packed).toBeGreaterThan(1)
  expect(packed).toBeLessThan(50)
  const messages = await readTopic(brokers, topic, (_, count) => count === packed)
  const ids = messages.flatMap(({ value }) => [...tableFromIPC(value!).getChild('id')!])
  expect(ids).toEqual(Array.from({ length: 20_000 }, (_, i) => `in-0-${i}`))
  expect(String(messages[0].headers?.['content-type'])).toBe('application/vnd.apache.arrow.stream')
})

it.each(['gzip', 'snappy', 'lz4'])('writes %s, which Apache’s own consumer reads', async (compression) => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, compression)
  await using sink = await sinkTo(
    brokers,
    { scored: topic, anomalies: false },
    { 'compression.type': compression },
  )
  await sink.open()
  await sink.write(sinkBatch({ rows: 2000 }))
  const text = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning'],
    ...['--max-messages', '2000', '--timeout-ms', '30000'],
  ])
  const ids = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id)
  expect(ids).toEqual(Array.from({ length: 2000 }, (_, i) => `in-0-${i}`))
})
