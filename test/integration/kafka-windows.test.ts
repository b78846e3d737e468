import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { packageRoot } from '../../src/core/package-root.ts'
import { random } from '../../src/core/random.ts'
import { parseLines, surprisal } from '../cli/surprisal.ts'
import { startNode } from '../services/child.ts'
import { temporaryFolder } from '../services/program.ts'
import { shared } from '../services/shared.ts'
import { committedOffset, newTopic, produce, readTopic, testKafka } from '../services/topics.ts'

const RECORDS = 5000
const HOSTS = 24
const SECOND = 1000

const folder = temporaryFolder('windows')
const file = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Reading {
  readonly host: string
  readonly at: string
  readonly load: number
}

/** Each host's load wanders by itself; one record in thirty comes late, after up to five later ones of its host. */
function readings(count: number, seed: number): Reading[] {
  const draw = random(seed)
  const load = Array.from({ length: HOSTS }, () => 50 + 20 * draw.normal())
  return Array.from({ length: count }, (_, i) => {
    const host = draw.integer(HOSTS)
    load[host] += draw.normal()
    const late = draw.uniform() < 1 / 30 ? 5 * HOSTS * draw.uniform() : 0
    const at = new Date(Date.UTC(2026, 0, 1) + Math.round((i - late) * SECOND))
    return { host: `host-${host}`, at: at.toISOString(), load: Math.round(1000 * load[host]) / 1000 }
  })
}
const lines = (records: readonly unknown[]) => records.map((one) => `${JSON.stringify(one)}\n`).join('')

type Scored = { readonly id: string; readonly entity: string | null } & Readonly<
  Record<'log_prob' | 'score' | 'p_value', number>
>
const scoresOf = ({ log_prob, score, p_value }: Scored) => ({ log_prob, score, p_value })

it('scores as one pass over a file does, through a kill −9, two rebalances and late records', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 4, 'hosts')
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const outputs = ['scored', 'anomalies'].map((output) => ({ topic: `${topic}.${output}` }))
  await admin.createTopics({ topics: outputs, waitForLeaders: true })
  await admin.disconnect()

  const all = readings(RECORDS, 2)
  writeFileSync(file('train.ndjson'), lines(readings(3000, 1)))
  writeFileSync(file('all.ndjson'), lines(all))
  const model = file('hosts.safetensors')
  const windows = ['--window', 'load: difference 1, mean 5, std 20', '--since-previous', '--no-clock']
  const named = ['--entity', 'host', '--time', 'at', '--effort', '0.05', '--model', model]
  const fitted = await surprisal(['fit', file('train.ndjson'), ...windows, ...named])
  expect(fitted.code, fitted.stderr).toBe(0)
  const passed = await surprisal([
    'score',
    file('all.ndjson'),
    '--model',
    model,
    '--out',
    file('scored.ndjson'),
  ])
  expect(passed.code, passed.stderr).toBe(0)
  const expected = parseLines(readFileSync(file('scored.ndjson'), 'utf8')) as unknown as Scored[]

  const pipeline = {
    name: 'hosts',
    kafka: {
      'bootstrap.servers': brokers,
      'session.timeout.ms': 6000,
      'heartbeat.interval.ms': 500,
    },
    source: {
      type: 'kafka',
      topics: [topic],
      start: 'earliest',
      max_slice_records: 50,
      event_time: { field: 'at' },
      entity: { field: 'host' },
    },
    model: { file: model },
    sinks: [{ type: 'kafka' }],
    dead_letters: false,
  }
  writeFileSync(file('pipeline.yaml'), JSON.stringify(pipeline))
  const main = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
  const start = () => startNode(main, ['run', file('pipeline.yaml')])
  const send = (from: number, to: number) =>
    produce(
      brokers,
      topic,
      all.slice(from, to).map((one) => ({ key: one.host, value: JSON.stringify(one) })),
    )
  const scored = async (count: number) => {
    const ids = new Set<string>()
    const enough = ({ value }: { readonly value: Buffer | null }) =>
      ids.add(JSON.parse(String(value)).id).size >= count
    const messages = await readTopic(brokers, `${topic}.scored`, enough, 90_000)
    return messages.map(({ value }) => JSON.parse(String(value)) as Scored)
  }

  await send(0, 1500)
  await using first = start()
  await scored(1000)
  await using second = start()
  await send(1500, 3000)
  await scored(2000)
  await first.end('SIGKILL')
  await send(3000, 4000)
  await scored(3500)
  await using third = start()
  expect(await second.end('SIGTERM'), second.errors()).toBe(0)
  await send(4000, RECORDS)
  const live = await scored(RECORDS)
  expect(await third.end('SIGTERM'), third.errors()).toBe(0)
  expect(await committedOffset(brokers, `surprisal-hosts`, topic)).toBe(RECORDS)

  // A host's records lie in one partition, in the order in which they were sent.
  const positions = new Map<string, number[]>()
  for (const [i, { host }] of all.entries()) positions.set(host, [...(positions.get(host) ?? []), i])
  const offsets = new Map<string, number[]>()
  const offsetOf = ({ id }: Scored) => Number(id.slice(id.lastIndexOf('-') + 1))
  for (const one of new Map(live.map((record) => [record.id, record])).values())
    offsets.set(`${one.entity}`, [...(offsets.get(`${one.entity}`) ?? []), offsetOf(one)])
  for (const own of offsets.values()) own.sort((a, b) => a - b)
  const fileScore = (one: Scored) => {
    const place = offsets.get(`${one.entity}`)!.indexOf(offsetOf(one))
    return expected[positions.get(`${one.entity}`)![place]]
  }
  // Redelivered ones too: whatever a process had before it, each record saw the same past.
  const other = live.filter((one) => one.log_prob !== fileScore(one).log_prob)
  expect(other.map((one) => [one.id, scoresOf(one), scoresOf(fileScore(one))])).toEqual([])
  expect(live.map(scoresOf)).toEqual(live.map((one) => scoresOf(fileScore(one))))
})
