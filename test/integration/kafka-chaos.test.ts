import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { type Child, fixture, startNode } from '../services/child.ts'
import { startKafka } from '../services/kafka.ts'
import { shared } from '../services/shared.ts'
import {
  committedOffset,
  createOutputs,
  newTopic,
  produce,
  readTopic,
  testKafka,
} from '../services/topics.ts'

const idOf = ({ value }: KafkaMessage): string => JSON.parse(String(value)).id
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `k${(from + i) % 16}`,
    value: JSON.stringify({ amount: (from + i) % 1000, i: from + i }),
  }))
const until = (ids: number) => {
  const seen = new Set<string>()
  return (message: KafkaMessage) => seen.add(idOf(message)).size >= ids
}

async function begin(brokers: string, partitions: number) {
  const topic = await newTopic(brokers, partitions, 'chaos')
  await createOutputs(brokers, topic)
  const settings = { brokers, topic, group: `g-${topic}` }
  const start = (extra: object = {}): Child =>
    startNode(fixture('pipeline-worker.mjs'), [JSON.stringify({ ...settings, ...extra })])
  const joined = (members: number) =>
    expect.poll(() => membersOf(brokers, settings.group), { interval: 200 }).toBe(members)
  return { ...settings, start, joined }
}

/** How many processes share the partitions of a topic. */
async function membersOf(brokers: string, group: string): Promise<number> {
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const { groups } = await admin.describeGroups([group])
  await admin.disconnect()
  return groups[0].state === 'Stable' ? groups[0].members.length : 0
}

describe('a consumer group under strain', () => {
  it('loses nothing while three processes join and leave', async () => {
    const brokers = await shared('kafka')
    const { topic, group, start, joined } = await begin(brokers, 6)
    await produce(brokers, topic, records(0, 2000))
    await using first = start({ scoreMs: 20 })
    await readTopic(brokers, `${topic}.scored`, until(100))
    await using second = start({ scoreMs: 20 })
    await produce(brokers, topic, records(2000, 4000))
    await joined(2)
    await using third = start({ scoreMs: 20 })
    await joined(3)
    expect(await second.end('SIGTERM'), second.errors()).toBe(0)
    await produce(brokers, topic, records(4000, 5000))
    await third.end('SIGKILL')
    const scored = await readTopic(brokers, `${topic}.scored`, until(5000), 90_000)
    expect(new Set(scored.map(idOf)).size).toBe(5000)
    expect(await first.end('SIGTERM'), first.errors()).toBe(0)
    expect(await committedOffset(brokers, group, topic)).toBe(5000)
  })

  it('keeps its partition over a scoring stall that is longer than the session timeout', async () => {
    const brokers = await shared('kafka')
    const { topic, group, start } = await begin(brokers, 1)
    await produce(brokers, topic, records(0, 50))
    const kafka = { 'session.timeout.ms': 3000, 'heartbeat.interval.ms': 300 }
    await using worker = start({ scoreMs: 9000, kafka })
    const scored = await readTopic(brokers, `${topic}.scored`, until(50))
    expect(scored).toHaveLength(50)
    await worker.end('SIGTERM')
    expect(worker.errors()).not.toMatch(/lost|rejoin|rebalanc/i)
    expect(await committedOffset(brokers, group, topic)).toBe(50)
  })

  it('waits for a broker that is not there yet, and goes on after it was killed', async () => {
    await using broker = await startKafka()
    const { brokers } = broker
    const { topic, group, start } = await begin(brokers, 2)
    await produce(brokers, topic, records(0, 500))
    await broker.stop()
    await using worker = start({ scoreMs: 5 })
    await expect.poll(() => worker.errors(), { interval: 50 }).toMatch(/Kafka source waits/)
    await broker.start()
    await readTopic(brokers, `${topic}.scored`, until(300))
    await broker.kill()
    await broker.start()
    await produce(brokers, topic, records(500, 1000))
    const scored = await readTopic(brokers, `${topic}.scored`, until(1000), 90_000)
    expect(new Set(scored.map(idOf)).size).toBe(1000)
    expect(await worker.end('SIGTERM'), worker.errors()).toBe(0)
    expect(await committedOffset(brokers, group, topic)).toBe(1000)
  })
})
