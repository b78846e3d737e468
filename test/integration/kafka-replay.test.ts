import type { Message } from 'kafkajs'
import { expect, it } from 'vitest'
import { kafkaOptions, kafkaSourceOptions } from '../../connectors/kafka/options.ts'
import { TopicReplay } from '../../connectors/kafka/replay.ts'
import { KafkaSource } from '../../connectors/kafka/source.ts'
import { decodeJson } from '../../connectors/kafka/values/json.ts'
import { RecordDecoder } from '../../connectors/kafka/values/record-decoder.ts'
import { offsetOf, type RecordBatch } from '../../src/core/record.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { runKafkaTool } from '../services/kafka.ts'
import { shared } from '../services/shared.ts'
import { newTopic, produce, testKafka } from '../services/topics.ts'
import { keptWarnings } from '../services/warnings.ts'

const NEVER = new AbortController().signal
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const numbers = (from: number, to: number, more: object = {}): Message[] =>
  range(from, to).map((i) => ({ value: JSON.stringify({ i }), ...more }))

/** One batch of records a fetch. */
const SMALL = { 'max.partition.fetch.bytes': 100, 'fetch.max.bytes': 100 }

async function reading(topic: string, extra: object = {}) {
  const brokers = await shared('kafka')
  const options = kafkaSourceOptions.parse({ type: 'kafka', topics: [topic], start: 'earliest' })
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers, ...extra })
  const decoder = new RecordDecoder(options, decodeJson)
  const { logger, warnings } = keptWarnings()
  return {
    warnings,
    replay: new TopicReplay(kafka, options, decoder, logger),
    source: new KafkaSource({ kafka, groupId: `g-${topic}`, options, decoder, logger: SILENT }),
  }
}
/** Offsets, in the order in which they come. */
const offsetsOf = ({ rows, origin }: RecordBatch) => range(0, rows).map((row) => offsetOf(origin, row))
async function offsets(batches: AsyncIterable<RecordBatch>): Promise<number[]> {
  const seen: number[] = []
  for await (const batch of batches) seen.push(...offsetsOf(batch))
  return seen
}

it('merges several partitions by time, one of them empty', async () => {
  const topic = await newTopic(await shared('kafka'), 4, 'merge')
  const start = Date.now() - 3_600_000
  // Partition p holds every third second, each in the order of its times.
  const messages = range(0, 3000).map((i) => ({
    value: `{"i":${i}}`,
    partition: i % 3,
    timestamp: String(start + 1000 * i),
  }))
  await produce(await shared('kafka'), topic, messages)
  const { replay } = await reading(topic, SMALL)
  const seen: number[] = []
  for await (const { columns } of replay.records(start + 1_000_000, NEVER)) {
    const column = columns.get('i')
    if (column?.kind === 'number') seen.push(...column.values)
  }
  // In order from one 4,096 records to the next, and each partition's own order always.
  expect([...seen].sort((a, b) => a - b)).toEqual(range(1000, 3000))
  for (const partition of [0, 1, 2]) {
    const own = seen.filter((i) => i % 3 === partition)
    expect(own).toEqual([...own].sort((a, b) => a - b))
  }
})

it('goes on behind records that are deleted while it reads, and says how many', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'deleted')
  for (let from = 0; from < 1000; from += 100) await produce(brokers, topic, numbers(from, from + 100))
  const { replay, warnings } = await reading(topic, SMALL)
  const admin = testKafka(brokers).admin()
  await admin.connect()
  // Tells the client which broker leads the partition.
  await admin.fetchTopicOffsets(topic)
  const seen: number[] = []
  for await (const batch of replay.before({ topic, partition: 0, offset: 1000 }, 1000, NEVER)) {
    if (seen.length === 100)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '650' }] })
    seen.push(...offsetsOf(batch))
  }
  const gone = seen.findIndex((offset, i) => offset !== i)
  expect(gone).toBeGreaterThanOrEqual(200)
  expect(seen).toEqual([...range(0, gone), ...range(650, 1000)])
  expect(warnings).toEqual([
    {
      message: 'records are gone before they were read',
      topic,
      partition: 0,
      from: gone,
      to: 650,
      offsets: 650 - gone,
    },
  ])
  // Where all of a range is gone.
  warnings.length = 0
  expect(await offsets(replay.before({ topic, partition: 0, offset: 300 }, 100, NEVER))).toEqual([])
  expect(warnings).toMatchObject([{ from: 200, to: 300, offsets: 100 }])
  await admin.disconnect()
})

it('steps over what compaction took, whole batches too', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'compacted', [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'min.cleanable.dirty.ratio', value: '0.001' },
    { name: 'segment.ms', value: '200' },
    { name: 'max.compaction.lag.ms', value: '1' },
  ])
  const keyed = (from: number, to: number) =>
    range(from, to).map((i) => ({ key: `k${i}`, value: `{"i":${i}}` }))
  // The broker keeps the last batch of an idempotent producer for its sequence numbers, though nothing is left of it.
  const producer = testKafka(brokers).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic, messages: keyed(0, 100) })
  await producer.disconnect()
  await produce(brokers, topic, keyed(0, 100))
  await produce(brokers, topic, keyed(50, 100))
  const { replay, source, warnings } = await reading(topic, SMALL)
  // A segment is compacted once it is closed, which the next record does.
  let last = 250
  await expect
    .poll(
      async () => {
        await produce(brokers, topic, keyed(100 + last, 101 + last++))
        return (await offsets(replay.records(0, NEVER)))[0]
      },
      { interval: 300 },
    )
    .toBe(100)
  const left = [...range(100, 150), ...range(200, last)]
  expect(await offsets(replay.records(0, NEVER))).toEqual(left)
  expect(await offsets(replay.before({ topic, partition: 0, offset: 180 }, 60, NEVER))).toEqual(
    range(120, 150),
  )
  expect(warnings).toEqual([])
  const stop = new AbortController()
  const live: number[] = []
  await using _source = source
  await source.open(stop.signal)
  for await (const delivery of source.deliveries(stop.signal)) {
    live.push(...offsetsOf(delivery.batch))
    await delivery.ack()
    if (live.length === left.length) break
  }
  expect(live).toEqual(left)
})

it('leaves out aborted transactions and their marks, and what an open one holds back', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'transactions')
  const producer = testKafka(brokers).producer({
    transactionalId: topic,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  const write = async (from: number, to: number, end: 'commit' | 'abort' | undefined) => {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: numbers(from, to) })
    if (end !== undefined) await transaction[end]()
    return transaction
  }
  await write(0, 10, 'commit')
  await write(11, 30, 'abort')
  await write(31, 40, 'commit')
  await write(41, 60, 'abort')
  const { replay, warnings } = await reading(topic, SMALL)
  const committed = [...range(0, 10), ...range(31, 40)]
  expect(await offsets(replay.records(0, NEVER))).toEqual(committed)
  const open = await write(61, 70, undefined)
  await produce(brokers, topic, numbers(0, 5))
  expect(await offsets(replay.records(0, NEVER))).toEqual(committed)
  await open.abort()
  expect(await offsets(replay.records(0, NEVER))).toEqual([...committed, ...range(70, 75)])
  expect(warnings).toEqual([])
  await producer.disconnect()
})

it('waits where a quota of its client is used up', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'quota')
  const pad = 'x'.repeat(1000)
  const message = (i: number) => ({ value: JSON.stringify({ i, pad }) })
  for (let from = 0; from < 300; from += 100)
    await produce(brokers, topic, range(from, from + 100).map(message))
  await runKafkaTool('kafka.admin.ConfigCommand', [
    ...['--bootstrap-server', brokers, '--alter', '--add-config', 'consumer_byte_rate=60000'],
    ...['--entity-type', 'clients', '--entity-name', topic],
  ])
  const { replay, warnings } = await reading(topic, { ...SMALL, 'client.id': topic })
  expect(await offsets(replay.records(0, NEVER))).toEqual(range(0, 300))
  expect(warnings).toEqual([])
})
