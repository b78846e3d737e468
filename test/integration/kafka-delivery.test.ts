import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { fixture, startNode } from '../services/child.ts'
import { shared } from '../services/shared.ts'
import { committedOffset, createOutputs, newTopic, produce, readTopic } from '../services/topics.ts'

const RECORDS = 3000
const POISON = 7

const idOf = ({ value }: KafkaMessage): string => JSON.parse(String(value)).id
const distinct = (messages: readonly KafkaMessage[]) => new Set(messages.map(idOf)).size
const enough = (ids: number) => {
  const seen = new Set<string>()
  return (message: KafkaMessage) => seen.add(idOf(message)).size >= ids
}

async function scenario(exactlyOnce: boolean) {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 2, 'payments')
  await createOutputs(brokers, topic)
  await produce(
    brokers,
    topic,
    Array.from({ length: RECORDS }, (_, i) => ({
      key: `k${i % 10}`,
      value: i % 500 === 1 || i === 2000 ? '{"amount":' : JSON.stringify({ amount: i % 1000, i }),
      headers: { traceparent: `00-${i}` },
    })),
  )
  const group = `g-${topic}`
  const settings = JSON.stringify({ brokers, topic, group, exactlyOnce, scoreMs: 20 })
  return { brokers, topic, group, start: () => startNode(fixture('pipeline-worker.mjs'), [settings]) }
}

describe('kill −9 in the middle of a batch', () => {
  it('loses no record at least once', async () => {
    const { brokers, topic, group, start } = await scenario(false)
    for (const records of [300, 1200]) {
      await using worker = start()
      await readTopic(brokers, `${topic}.scored`, enough(records))
      await worker.end('SIGKILL')
    }
    await using last = start()
    const scored = await readTopic(brokers, `${topic}.scored`, enough(RECORDS - POISON))
    expect(await last.end('SIGTERM'), last.errors()).toBe(0)
    expect(distinct(scored)).toBe(RECORDS - POISON)
    expect(await committedOffset(brokers, group, topic)).toBe(RECORDS)

    const [first] = scored
    expect(String(first.key)).toMatch(/^k\d$/)
    expect(String(first.headers?.traceparent)).toMatch(/^00-\d+$/)
    expect(JSON.parse(String(first.value))).toMatchObject({ pipeline: 'test', model_version: 1 })
    const anomalies = await readTopic(brokers, `${topic}.anomalies`, enough(27))
    expect(anomalies.every(({ value }) => JSON.parse(String(value)).is_anomaly)).toBe(true)
    const dead = await readTopic(brokers, `${topic}.dlq`, (_, count) => count >= POISON)
    expect(String(dead[0].value)).toBe('{"amount":')
    expect(String(dead[0].headers?.['__connect.errors.topic'])).toBe(topic)
    expect(String(dead[0].headers?.['__connect.errors.exception.message'])).toMatch(/JSON/)
  })

  it('shows each record once to a read_committed consumer in exactly-once mode', async () => {
    const { brokers, topic, group, start } = await scenario(true)
    for (const records of [300, 1200]) {
      await using worker = start()
      await readTopic(brokers, `${topic}.scored`, enough(records))
      await worker.end('SIGKILL')
    }
    await using last = start()
    await readTopic(brokers, `${topic}.scored`, enough(RECORDS - POISON))
    await readTopic(brokers, `${topic}.dlq`, (_, count) => count >= POISON)
    expect(await last.end('SIGTERM'), last.errors()).toBe(0)
    expect(await committedOffset(brokers, group, topic)).toBe(RECORDS)
    const marker = { key: 'k', value: JSON.stringify({ id: 'end' }) }
    await produce(brokers, `${topic}.scored`, [marker])
    const ended = (message: KafkaMessage) => idOf(message) === 'end'
    const scored = await readTopic(brokers, `${topic}.scored`, ended)
    expect(scored.length - 1).toBe(RECORDS - POISON)
    expect(distinct(scored) - 1).toBe(RECORDS - POISON)
  })
})
