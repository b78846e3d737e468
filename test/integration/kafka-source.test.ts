import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { kafkaOptions, kafkaSourceOptions } from '../../connectors/kafka/options.ts'
import { KafkaSource } from '../../connectors/kafka/source.ts'
import { decodeJson } from '../../connectors/kafka/values/json.ts'
import { RecordDecoder } from '../../connectors/kafka/values/record-decoder.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { sourceSuite } from '../conformance/source.suite.ts'
import { shared } from '../services/shared.ts'
import { createTopics, newTopic, produce } from '../services/topics.ts'

async function begin(brokers: string, topic: string, messages: { value: string }[]): Promise<void> {
  await createTopics(brokers, [topic])
  await produce(brokers, topic, messages)
}

sourceSuite('KafkaSource', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers)
  return {
    publish: (records) =>
      produce(
        brokers,
        topic,
        records.map((record) => ({ value: JSON.stringify(record) })),
      ),
    async start({ rows }) {
      const options = kafkaSourceOptions.parse({
        type: 'kafka',
        topics: [topic],
        start: 'earliest',
        max_slice_records: rows,
      })
      const decoder = new RecordDecoder(options, decodeJson)
      const source = new KafkaSource({
        kafka: kafkaOptions.parse({ 'bootstrap.servers': brokers }),
        groupId: `group-${topic}`,
        options,
        decoder,
        logger: SILENT,
      })
      await source.open(new AbortController().signal)
      return source
    },
    async [Symbol.asyncDispose]() {},
  }
})

it('picks up a topic that matches its pattern later, and loses its place in none', async () => {
  const brokers = await shared('kafka')
  const first = await newTopic(brokers, 2, 'growing')
  const options = kafkaSourceOptions.parse({
    type: 'kafka',
    pattern: `${first}.*`,
    start: 'earliest',
    fields: ['i'],
  })
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers, 'metadata.max.age.ms': 300 })
  const decoder = new RecordDecoder(options, decodeJson)
  await using source = new KafkaSource({ kafka, groupId: `g-${first}`, options, decoder, logger: SILENT })
  const stop = new AbortController()
  await source.open(stop.signal)
  const records = (from: number) => Array.from({ length: 50 }, (_, i) => ({ value: `{"i":${from + i}}` }))
  await begin(brokers, `${first}.scored`, records(1000))
  await produce(brokers, first, records(0))
  const seen: number[] = []
  for await (const delivery of source.deliveries(stop.signal)) {
    const { batch } = delivery
    const column = batch.columns.get('i')
    if (column?.kind === 'number') seen.push(...column.values)
    await delivery.ack()
    if (seen.length === 50) await begin(brokers, `${first}-later`, records(50))
    if (seen.length === 100) stop.abort()
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
})

it('leaves no connection open when it ends while its group is in motion', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 4, 'leaving')
  await produce(
    brokers,
    topic,
    Array.from({ length: 50 }, (_, i) => ({ value: JSON.stringify({ i }) })),
  )
  const options = kafkaSourceOptions.parse({ type: 'kafka', topics: [topic], start: 'earliest' })
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers, 'heartbeat.interval.ms': 300 })
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
  const before = sockets()
  const stay = async (milliseconds: number) => {
    const decoder = new RecordDecoder(options, decodeJson)
    const parts = { kafka, groupId: `group-${topic}`, options, decoder, logger: SILENT, exactlyOnce: true }
    const source = new KafkaSource(parts)
    const { signal } = new AbortController()
    await source.open(signal)
    const reading = (async () => {
      for await (const delivery of source.deliveries(signal)) await delivery.ack()
    })()
    await sleep(milliseconds)
    await source[Symbol.asyncDispose]()
    await reading
  }
  for (let round = 0; round < 4; round++)
    await Promise.all([20, 150, 400].map((milliseconds) => stay(milliseconds + 40 * round)))
  await expect.poll(sockets, { timeout: 10_000 }).toBeLessThanOrEqual(before)
})
