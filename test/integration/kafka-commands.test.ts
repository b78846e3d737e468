import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { packageRoot } from '../../src/core/package-root.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'
import { shared } from '../services/shared.ts'
import { createTopics, newTopic, produce, readTopic, testKafka } from '../services/topics.ts'
import { batch, flights, ROWS } from './flight-plan.ts'

const SURPRISAL = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
async function surprisal(...args: string[]) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [SURPRISAL, ...args, '-o', 'json'])
  return { answer: JSON.parse(stdout), stderr }
}
/** What a producer of a pipeline, or Kafka Connect, says of a failed record. */
const failure = (topic: string, offset: number) => ({
  '__connect.errors.topic': topic,
  '__connect.errors.partition': '0',
  '__connect.errors.offset': String(offset),
  '__connect.errors.exception.message': `broken ${offset}`,
})

async function pipelineOn(brokers: string, topic: string): Promise<{ folder: string; pipeline: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-commands-'))
  const pipeline = join(folder, 'pipeline.yaml')
  const kafka = { 'bootstrap.servers': brokers }
  writeFileSync(
    pipeline,
    JSON.stringify({ name: 'flights', kafka, source: { type: 'kafka', topics: [topic] } }),
  )
  return { folder, pipeline }
}

it('backtests a topic as it does a file of the same records', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 4, 'backtest')
  const { folder, pipeline } = await pipelineOn(brokers, topic)
  const start = Date.now() - 3_600_000
  const rows = flights(900, 2).map((row, i) => ({ ...row, at: new Date(start + 1000 * i).toISOString() }))
  const file = join(folder, 'rows.ndjson')
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))
  const model = join(folder, 'model.safetensors')
  writeFileSync(model, (await fitDetector([batch(flights(ROWS, 1))], { rate: 0.02, effort: 0.2 })).artifact)
  const poison = { value: '{"distance":', partition: 1, timestamp: String(start) }
  const messages = rows.map(({ at, ...row }, i) => {
    const timestamp = String(Date.parse(at))
    return { value: JSON.stringify(row), partition: i % 3, timestamp }
  })
  await produce(brokers, topic, [poison, ...messages, poison])
  const ofTopic = await surprisal('backtest', pipeline, '--model', model)
  const ofFile = await surprisal('backtest', file, '--model', model)
  expect(ofTopic.answer).toMatchObject({ from: rows[0].at, to: rows.at(-1)?.at })
  const told = ({ answer: { models } }: typeof ofFile) => {
    const { records, alarms, unscored, calibration } = models[0]
    return { records, alarms, unscored, calibration }
  }
  expect(told(ofTopic)).toEqual(told(ofFile))
  expect(told(ofTopic)).toMatchObject({ records: 900, unscored: 0 })
  expect(JSON.parse(ofTopic.stderr)).toMatchObject({
    msg: 'records that cannot be decoded are left out',
    topic,
    partition: 1,
    records: 2,
  })
})

it('lists and replays the dead letters of several partitions', async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'letters')
  const dlq = `${topic}.dlq`
  const { pipeline } = await pipelineOn(brokers, topic)
  const none = await surprisal('dlq', 'list', pipeline)
  expect(none.answer).toEqual([])
  expect(JSON.parse(none.stderr)).toMatchObject({ topic: dlq, msg: expect.stringMatching(/no such topic/) })

  await createTopics(brokers, [dlq], 3)
  const letter = (offset: number, partition: number) => ({
    value: `broken ${offset}`,
    key: `k${offset}`,
    partition,
    timestamp: String(1000 * offset),
    headers: { ...failure(topic, offset), traceparent: `00-${offset}` },
  })
  await produce(brokers, dlq, [letter(1, 0), letter(2, 0), letter(3, 2), letter(4, 0)])
  await produce(brokers, dlq, [{ value: 'of somebody else', partition: 2 }])
  const admin = testKafka(brokers).admin()
  await admin.connect()
  await admin.fetchTopicOffsets(dlq)
  await admin.deleteTopicRecords({ topic: dlq, partitions: [{ partition: 0, offset: '1' }] })
  await admin.disconnect()

  const { answer: listed } = await surprisal('dlq', 'list', pipeline)
  expect(listed.map(({ place, source }: { place: string; source: string }) => [place, source])).toEqual([
    [`${dlq}-0-1`, `${topic}-0-2`],
    [`${dlq}-2-0`, `${topic}-0-3`],
    [`${dlq}-0-2`, `${topic}-0-4`],
    [`${dlq}-2-1`, '–'],
  ])
  expect((await surprisal('dlq', 'replay', pipeline, `${dlq}-2-0`)).answer).toEqual({ replayed: 1 })
  const all = await surprisal('dlq', 'replay', pipeline)
  expect(all.answer).toEqual({ replayed: 3 })
  expect(JSON.parse(all.stderr)).toMatchObject({
    place: `${dlq}-2-1`,
    msg: expect.stringMatching(/it stays/),
  })
  await expect(surprisal('dlq', 'replay', pipeline, `${dlq}-0-0`)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`no dead letter ${dlq}-0-0`),
  })
  const back = await readTopic(brokers, topic, (_, count) => count === 4)
  expect(back.map(({ key, value }) => [String(key), String(value)])).toEqual(
    [3, 2, 3, 4].map((i) => [`k${i}`, `broken ${i}`]),
  )
  expect(back.map(({ headers }) => Object.keys(headers ?? {}))).toEqual(Array(4).fill(['traceparent']))
})
