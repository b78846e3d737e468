import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import { expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { type Child, fixture, startNode } from '../services/child.ts'
import { startKafka } from '../services/kafka.ts'
import { committedOffset, newTopic, produce, readTopic, testKafka } from '../services/topics.ts'

const MINUTES = Number(process.env.SOAK_MINUTES ?? 10)
const BURST = 500
const idOf = ({ value }: KafkaMessage): string => JSON.parse(String(value)).id

/** Processes are killed, stopped and started and the broker goes down, at random, while records keep coming. */
async function storm(exactlyOnce: boolean): Promise<void> {
  await using broker = await startKafka()
  const { brokers } = broker
  const topic = await newTopic(brokers, 6, 'soak')
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const topics = ['scored', 'anomalies', 'dlq'].map((output) => ({ topic: `${topic}.${output}` }))
  await admin.createTopics({ topics, waitForLeaders: true })
  await admin.disconnect()
  const settings = JSON.stringify({ brokers, topic, group: `g-${topic}`, exactlyOnce, scoreMs: 10 })
  const start = () => startNode(fixture('pipeline-worker.mjs'), [settings])
  const workers: Child[] = [start()]
  const chance = random(1)
  const end = Date.now() + MINUTES * 60_000
  let sent = 0
  while (Date.now() < end) {
    const burst = Array.from({ length: BURST }, (_, i) => ({
      key: `k${i % 16}`,
      value: JSON.stringify({ amount: i % 1000, i: sent + i }),
    }))
    await produce(brokers, topic, burst)
    sent += BURST
    const dice = chance.uniform()
    if (dice < 0.4 && workers.length < 4) workers.push(start())
    else if (dice < 0.8 && workers.length > 0)
      await workers.splice(chance.integer(workers.length), 1)[0].end(dice < 0.6 ? 'SIGKILL' : 'SIGTERM')
    else if (dice < 0.85) {
      await broker.kill()
      await sleep(1000)
      await broker.start()
      await sleep(3000)
    }
    await sleep(1000 + 2000 * chance.uniform())
  }
  workers.push(start())
  const seen = new Set<string>()
  await readTopic(brokers, `${topic}.scored`, (m) => seen.add(idOf(m)).size === sent, 300_000)
  for (const worker of workers) expect(await worker.end('SIGTERM'), worker.errors()).toBe(0)
  expect(await committedOffset(brokers, `g-${topic}`, topic)).toBeGreaterThanOrEqual(sent)
  await produce(brokers, `${topic}.scored`, [{ value: '{"id":"end"}' }])
  const scored = await readTopic(brokers, `${topic}.scored`, (message) => idOf(message) === 'end', 300_000)
  if (exactlyOnce) expect(scored.length - 1).toBe(sent)
  expect(new Set(scored.map(idOf)).size - 1).toBe(sent)
}

it('loses nothing at least once', { timeout: (MINUTES + 10) * 60_000 }, () => storm(false))
it('shows each record once in exactly-once mode', { timeout: (MINUTES + 10) * 60_000 }, () => storm(true))
