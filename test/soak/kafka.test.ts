import { setTimeout as sleep } from 'node:timers/promises'
import { tableFromIPC } from 'apache-arrow'
import type { KafkaMessage } from 'kafkajs'
import { expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { type Child, fixture, startNode } from '../services/child.ts'
import { runKafkaTool, startKafka } from '../services/kafka.ts'
import { peakMemory } from '../services/memory.ts'
import { sinkOutage } from '../services/outage.ts'
import { committedOffset, createOutputs, newTopic, produce, readTopic } from '../services/topics.ts'

const MINUTES = Number(process.env.SOAK_MINUTES ?? 10)
const BURST = 500
const MILLION = 1_000_000
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `k${i % 16}`,
    value: JSON.stringify({ amount: (from + i) % 1000, i: from + i }),
  }))
const idOf = ({ value }: KafkaMessage): string => JSON.parse(String(value)).id

/** Processes are killed, stopped and started and the broker goes down, at random, while records keep coming. */
async function storm(exactlyOnce: boolean): Promise<void> {
  await using broker = await startKafka()
  const { brokers } = broker
  const topic = await newTopic(brokers, 6, 'soak')
  await createOutputs(brokers, topic)
  const settings = JSON.stringify({ brokers, topic, group: `g-${topic}`, exactlyOnce, scoreMs: 10 })
  const start = () => startNode(fixture('pipeline-worker.mjs'), [settings])
  const workers: Child[] = [start()]
  const chance = random(1)
  const end = Date.now() + MINUTES * 60_000
  let sent = 0
  while (Date.now() < end) {
    await produce(brokers, topic, records(sent, sent + BURST))
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
  for (const worker of workers) {
    const code = await worker.end('SIGTERM')
    // The newest may not listen yet.
    if (worker !== workers.at(-1)) expect(code, worker.errors()).toBe(0)
  }
  expect(await committedOffset(brokers, `g-${topic}`, topic)).toBeGreaterThanOrEqual(sent)
  const ids = await committedIds(brokers, `${topic}.scored`)
  const once = new Set<string>()
  const doubled = ids.filter((id) => once.size === once.add(id).size)
  expect(once.size).toBe(sent)
  if (exactlyOnce) expect(doubled).toEqual([])
}

/** By Apache's own consumer: the client of the code under test is no witness, it shows aborted records now and then. */
async function committedIds(brokers: string, topic: string): Promise<string[]> {
  const text = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning'],
    ...['--isolation-level', 'read_committed', '--timeout-ms', '15000'],
  ])
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line).id)
}

it('loses nothing at least once', { timeout: (MINUTES + 10) * 60_000 }, () => storm(false))
it('shows each record once in exactly-once mode', { timeout: (MINUTES + 10) * 60_000 }, () => storm(true))

it('bears a minute without its sink', { timeout: 600_000 }, async () => {
  await using broker = await startKafka()
  await sinkOutage(broker.brokers, 120_000, 60)
})

it('keeps its partition over a scoring stall of 30 seconds', { timeout: 300_000 }, async () => {
  await using broker = await startKafka()
  const { brokers } = broker
  const topic = await newTopic(brokers, 1, 'stall')
  await createOutputs(brokers, topic)
  await produce(brokers, topic, records(0, 50))
  const kafka = { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 1000 }
  const settings = JSON.stringify({ brokers, topic, group: `g-${topic}`, scoreMs: 30_000, kafka })
  await using worker = startNode(fixture('pipeline-worker.mjs'), [settings])
  const scored = await readTopic(brokers, `${topic}.scored`, (_, count) => count === 50, 120_000)
  expect(new Set(scored.map(idOf)).size).toBe(50)
  expect(await worker.end('SIGTERM')).toBe(0)
  expect(worker.errors()).not.toMatch(/lost|rejoin|rebalanc/i)
  expect(await committedOffset(brokers, `g-${topic}`, topic)).toBe(50)
})

it('works off a backlog of a million records in bounded memory', { timeout: 900_000 }, async () => {
  await using broker = await startKafka()
  const { brokers } = broker
  const topic = await newTopic(brokers, 4, 'backlog')
  await createOutputs(brokers, topic)
  for (let from = 0; from < MILLION; from += 50_000)
    await produce(brokers, topic, records(from, from + 50_000))
  const group = `g-${topic}`
  const settings = JSON.stringify({ brokers, topic, group, encoding: 'packed', sliceRecords: 8192 })
  await using worker = startNode(fixture('pipeline-worker.mjs'), [settings])
  const started = performance.now()
  await expect
    .poll(() => committedOffset(brokers, group, topic), { timeout: 600_000, interval: 1000 })
    .toBe(MILLION)
  const peak = peakMemory(worker)
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${MILLION} records in ${seconds} s, at most ${peak?.toFixed(0)} MiB`)
  if (peak !== undefined) expect(peak).toBeLessThan(700)
  expect(await worker.end('SIGTERM'), worker.errors()).toBe(0)
  let rows = 0
  const whole = ({ value }: KafkaMessage) => {
    rows += tableFromIPC(value!).numRows
    return rows >= MILLION
  }
  await readTopic(brokers, `${topic}.scored`, whole, 300_000)
  expect(rows).toBe(MILLION)
})
