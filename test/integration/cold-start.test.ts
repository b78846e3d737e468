import { randomUUID } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KafkaMessage } from 'kafkajs'
import { expect, it } from 'vitest'
import { FsModelRegistry } from '../../connectors/fs/model-registry.ts'
import { RedisModelRegistry } from '../../connectors/redis/model-registry.ts'
import { packageRoot } from '../../src/core/package-root.ts'
import { random } from '../../src/core/random.ts'
import { startNode } from '../services/child.ts'
import { shared } from '../services/shared.ts'
import { createTopics, newTopic, produce, readTopic } from '../services/topics.ts'

const SURPRISAL = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
const RECORDS = 1050
const idOf = ({ value }: KafkaMessage): string => JSON.parse(String(value)).id

async function registryOf(kind: string) {
  if (kind === 'redis') {
    const settings = { type: 'redis', url: await shared('redis'), prefix: `cold-${randomUUID()}` }
    return { settings, registry: new RedisModelRegistry(settings.url, settings) }
  }
  const path = mkdtempSync(join(tmpdir(), 'surprisal-cold-'))
  return { settings: { type: 'fs', path }, registry: new FsModelRegistry(path) }
}

it.each(['fs', 'redis'])('elects one of three processes to learn the first model, by %s', async (kind) => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 3, 'cold')
  await createTopics(brokers, [`${topic}.scored`])
  const { settings, registry } = await registryOf(kind)
  await using _registry = registry
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-cold-'))
  const file = join(folder, 'pipeline.yaml')
  const pipeline = {
    name: 'cold',
    kafka: { 'bootstrap.servers': brokers, 'group.id': `g-${topic}` },
    source: { type: 'kafka', topics: [topic], start: 'earliest' },
    sinks: [{ type: 'kafka', anomalies: false }],
    retrain: { min_records: 1000 },
    model: { effort: 0.2 },
    registry: settings,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the pipeline file's own substitution.
    store: { type: 'duckdb', path: '${SCORES}' },
  }
  writeFileSync(file, JSON.stringify(pipeline))
  const { normal } = random(3)
  const record = () => ({ value: JSON.stringify({ amount: normal(), fee: normal() }) })
  await produce(brokers, topic, Array.from({ length: 100 }, record))

  const start = () => startNode(SURPRISAL, ['run', file], { SCORES: join(folder, `${randomUUID()}.duckdb`) })
  await using first = start()
  await using second = start()
  await using third = start()
  const processes = [first, second, third]
  const log = () => processes.map((one) => one.errors()).join('')
  await expect.poll(log, { timeout: 60_000, interval: 200 }).toMatch(/warming_up: 100 of 1,000 records/)
  await produce(brokers, topic, Array.from({ length: RECORDS - 100 }, record))
  const seen = new Set<string>()
  const scored = await readTopic(
    brokers,
    `${topic}.scored`,
    (message) => seen.add(idOf(message)).size === RECORDS,
    120_000,
  )
  expect(scored.every(({ value }) => JSON.parse(String(value)).model_version === 1)).toBe(true)
  for (const one of processes) expect(await one.end('SIGTERM'), one.errors()).toBe(0)
  expect(log().match(/"retraining"/g)).toHaveLength(1)
  expect(log()).not.toMatch(/retraining stopped/)
  expect((await registry.list('cold')).map(({ version }) => version)).toEqual([1])
  expect(await registry.fence('cold')).toBe(2)
})
