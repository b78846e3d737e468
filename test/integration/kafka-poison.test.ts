import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KafkaMessage } from 'kafkajs'
import { expect, it } from 'vitest'
import { packageRoot } from '../../src/core/package-root.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'
import { startNode } from '../services/child.ts'
import { runKafkaTool } from '../services/kafka.ts'
import { shared } from '../services/shared.ts'
import { committedOffset, createOutputs, newTopic, produce, readTopic } from '../services/topics.ts'

const SURPRISAL = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
const surprisal = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, [SURPRISAL, ...args])).stdout

const POISON: (Buffer | string | null)[] = [
  '{"payload":{"amount":',
  null,
  Buffer.from([0x7b, 0x22, 0x61, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  `{"payload":{"amount":1},"pad":"${'x'.repeat(300_000)}"}`,
  Buffer.from([0, 0, 0, 0, 99, 1, 2, 3]),
  '[1,2,3]',
]
const ODD = [
  '{"payload":{"amount":"a lot","fee":true}}',
  `{"payload":{"amount":1,"fee":2},"deep":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  '{"__proto__":{"payload":{"amount":5}},"constructor":null}',
  '{"payload":{"amount":1e308,"amount":100.5,"fee":1}}',
  '{"payload":{"amount":100,"fee":1},"at":-62135596800001}',
]
const LEARNED = 1000
const NORMAL = 300

it('scores what can be scored, keeps what cannot, and forgets nothing', { timeout: 300_000 }, async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'poison')
  await createOutputs(brokers, topic)

  const { normal } = random(7)
  const payloads = Array.from({ length: LEARNED }, () => {
    const z = normal()
    return { amount: 100 + 10 * z, fee: 1 + 0.1 * z + 0.01 * normal() }
  })
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-poison-'))
  const model = join(folder, 'model.safetensors')
  const rows = payloads.map(({ amount, fee }) => ({ 'payload.amount': amount, 'payload.fee': fee }))
  writeFileSync(model, (await fitDetector([batchOfRows(rows)], { rate: 0.01, effort: 0.2 })).artifact)
  const pipeline = join(folder, 'pipeline.yaml')
  writeFileSync(
    pipeline,
    JSON.stringify({
      name: 'poison',
      kafka: { 'bootstrap.servers': brokers, 'group.id': `g-${topic}` },
      source: {
        type: 'kafka',
        topics: [topic],
        start: 'earliest',
        fields: ['payload.amount', 'payload.fee'],
        event_time: { field: 'at' },
        max_record_bytes: 100_000,
      },
      sinks: [{ type: 'kafka' }],
      model: { file: model },
    }),
  )

  const good = payloads.slice(0, NORMAL).map((payload) => ({ key: 'k', value: JSON.stringify({ payload }) }))
  const extreme = [{ key: 'bad', value: '{"payload":{"amount":100,"fee":50}}' }]
  const bad = [...POISON, ...ODD].map((value) => ({ key: 'odd', value }))
  await produce(brokers, topic, [...good.slice(0, 100), ...bad, ...good.slice(100), ...extreme])
  const total = NORMAL + bad.length + 1

  await using run = startNode(SURPRISAL, ['run', pipeline])
  const scored = await readTopic(
    brokers,
    `${topic}.scored`,
    (_, count) => count === total - POISON.length,
    120_000,
  )
  const dead = await readTopic(brokers, `${topic}.dlq`, (_, count) => count === POISON.length)
  const anomalies = await readTopic(brokers, `${topic}.anomalies`, ({ key }) => String(key) === 'bad')
  expect(await run.end('SIGTERM'), run.errors()).toBe(0)
  expect(await committedOffset(brokers, `g-${topic}`, topic)).toBe(total)

  expect(dead.map(({ value }) => value)).toEqual(
    POISON.map((v) => (typeof v === 'string' ? Buffer.from(v) : v)),
  )
  const reasons = dead.map(({ headers }) => String(headers?.['__connect.errors.exception.message']))
  expect(reasons[1]).toMatch(/tombstone/)
  expect(reasons[2]).toMatch(/UTF-8/)
  expect(reasons[3]).toMatch(/over max_record_bytes/)

  const parsed = scored.map(({ value }: KafkaMessage) => JSON.parse(String(value)))
  expect(new Set(parsed.map(({ id }) => id)).size).toBe(total - POISON.length)
  const odd = parsed.filter((_, i) => String(scored[i].key) === 'odd')
  expect(odd).toHaveLength(ODD.length)
  expect(odd[0]).toMatchObject({
    verdict: 'unscored',
    reasons: [/amount: 'a lot'/, /fee: true/].map((text) => expect.stringMatching(text)),
  })
  expect(odd.at(-1).verdict).not.toBe('unscored')
  const worst = JSON.parse(String(anomalies.at(-1)?.value))
  expect(worst).toMatchObject({ is_anomaly: true, attribution: [{ field: 'payload.fee' }, {}] })

  const listed = JSON.parse(await surprisal('dlq', 'list', pipeline, '-o', 'json'))
  expect(listed).toHaveLength(POISON.length)
  expect(listed[0]).toMatchObject({ place: `${topic}.dlq-0-0`, source: `${topic}-0-100` })
  expect(JSON.parse(await surprisal('dlq', 'replay', pipeline, `${topic}.dlq-0-5`, '-o', 'json'))).toEqual({
    replayed: 1,
  })
  const back = await readTopic(brokers, topic, (_, count) => count === total + 1)
  expect(String(back.at(-1)?.value)).toBe('[1,2,3]')
  expect(Object.keys(back.at(-1)?.headers ?? {})).toEqual([])

  const text = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers, '--topic', `${topic}.scored`, '--from-beginning'],
    ...['--max-messages', String(total - POISON.length), '--timeout-ms', '30000'],
  ])
  expect(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id),
  ).toEqual(parsed.map(({ id }) => id))
})
