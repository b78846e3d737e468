import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import { expect } from 'vitest'
import { fixture, startNode } from './child.ts'
import { startKafka } from './kafka.ts'
import { peakMemory } from './memory.ts'
import { committedOffset, createTopics, newTopic, produce, readTopic } from './topics.ts'

const PAD = 'x'.repeat(1000)
const HELD_KB = 8192
/** Of a process that reads without holding much, MiB. */
const ROOM = 350

/**
 * The cluster of the outputs goes away for a time while records of far more bytes than a process may hold come in. The
 * process holds what it may, waits, and then scores everything once, in order.
 */
export async function sinkOutage(brokers: string, records: number, seconds: number): Promise<void> {
  await using sinkBroker = await startKafka()
  const topic = await newTopic(brokers, 1, 'outage')
  await createTopics(sinkBroker.brokers, [`${topic}.scored`])
  const group = `g-${topic}`
  const message = (i: number) => ({ value: JSON.stringify({ amount: i % 900, i, pad: PAD }) })
  const settings = {
    brokers,
    sinkBrokers: sinkBroker.brokers,
    topic,
    group,
    sliceRecords: 1000,
    kafka: { 'queued.max.messages.kbytes': HELD_KB },
  }
  await using worker = startNode(fixture('pipeline-worker.mjs'), [JSON.stringify(settings)])
  await produce(brokers, topic, [message(0)])
  await readTopic(sinkBroker.brokers, `${topic}.scored`, () => true)
  await sinkBroker.kill()
  await produce(
    brokers,
    topic,
    Array.from({ length: records - 1 }, (_, i) => message(i + 1)),
  )
  await sleep(seconds * 1000)
  expect(await committedOffset(brokers, group, topic)).toBe(1)
  const peak = peakMemory(worker)
  if (peak !== undefined) expect(peak).toBeLessThan(ROOM)
  await sinkBroker.start()
  const idOf = ({ value }: KafkaMessage): string => JSON.parse(String(value)).id
  const seen = new Set<string>()
  await readTopic(
    sinkBroker.brokers,
    `${topic}.scored`,
    (one) => seen.add(idOf(one)).size === records,
    120_000,
  )
  expect([...seen]).toEqual(Array.from({ length: records }, (_, i) => `${topic}-0-${i}`))
  expect(await worker.end('SIGTERM'), worker.errors()).toBe(0)
  expect(worker.errors()).toMatch(/failed, trying again/)
  expect(await committedOffset(brokers, group, topic)).toBe(records)
}
