import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { kafkaOptions, kafkaSourceOptions } from '../../connectors/kafka/options.ts'
import { TopicReplay } from '../../connectors/kafka/replay.ts'
import { decodeJson } from '../../connectors/kafka/values/json.ts'
import { RecordDecoder } from '../../connectors/kafka/values/record-decoder.ts'
import { offsetOf } from '../../src/core/record.ts'
import { startKafkaPair } from '../services/kafka.ts'
import { produce, testKafka } from '../services/topics.ts'
import { keptWarnings } from '../services/warnings.ts'

const RECORDS = 3000
const PARTITIONS = 3
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    partition: (from + i) % PARTITIONS,
    value: JSON.stringify({ amount: (from + i) % 1000, i: from + i }),
  }))

/** A topic on both brokers, led by the second. */
async function ledBySecond(brokers: string): Promise<string> {
  const topic = `leaders-${randomUUID().slice(0, 8)}`
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const replicaAssignment = Array.from({ length: PARTITIONS }, (_, partition) => ({
    partition,
    replicas: [2, 1],
  }))
  await admin.createTopics({ topics: [{ topic, replicaAssignment }] })
  await admin.disconnect()
  return topic
}
/** The brokers that lead the partitions of a topic. */
async function leadersOf(brokers: string, topic: string): Promise<number[]> {
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return [...new Set(topics[0].partitions.map(({ leader }) => leader))]
}

it('reads the past while leaders die and come back', {
  timeout: 300_000,
}, async () => {
  const [first, second] = await startKafkaPair()
  await using _first = first
  await using _second = second
  const brokers = `${second.brokers},${first.brokers}`
  const topic = await ledBySecond(brokers)
  for (let from = 0; from < RECORDS; from += 300) await produce(brokers, topic, records(from, from + 300))

  const options = kafkaSourceOptions.parse({ type: 'kafka', topics: [topic] })
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers, 'max.partition.fetch.bytes': 100 })
  const { logger, warnings } = keptWarnings()
  const replay = new TopicReplay(kafka, options, new RecordDecoder(options, decodeJson), logger)
  const end = RECORDS / PARTITIONS
  /** The past of each partition; `meanwhile` happens after its first records. */
  const readPast = async (meanwhile: () => Promise<void>) => {
    let happened = false
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const seen: number[] = []
      const place = { topic, partition, offset: end }
      for await (const { rows, origin } of replay.before(place, end, new AbortController().signal)) {
        for (let row = 0; row < rows; row++) seen.push(offsetOf(origin, row))
        if (!happened) await meanwhile()
        happened = true
      }
      expect(seen).toEqual(Array.from({ length: end }, (_, i) => i))
    }
  }
  await readPast(() => second.kill())
  expect(await leadersOf(first.brokers, topic)).toEqual([1])
  expect(warnings.length).toBeGreaterThan(0)
  await second.start()
  await readPast(() =>
    expect.poll(() => leadersOf(brokers, topic), { interval: 200, timeout: 60_000 }).toEqual([2]),
  )
  expect(warnings.filter(({ message }) => message !== 'Kafka does not serve this now')).toEqual([])
})
