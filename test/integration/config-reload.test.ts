import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../../src/core/package-root.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'
import { startNode } from '../services/child.ts'
import { freePort } from '../services/program.ts'
import { shared } from '../services/shared.ts'
import { createTopics, newTopic, produce, readTopic } from '../services/topics.ts'

const SURPRISAL = join(packageRoot, 'dist', 'src', 'cli', 'main.js')
const PER_STAGE = 50

it('applies a changed file on SIGHUP, and keeps the settings before where the file is broken', {
  timeout: 120_000,
}, async () => {
  const brokers = await shared('kafka')
  const topic = await newTopic(brokers, 1, 'reload')
  await createTopics(brokers, [`${topic}.scored`])
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-reload-'))
  const { normal } = random(5)
  const rows = Array.from({ length: 500 }, () => ({ amount: normal(), fee: normal() }))
  const model = join(folder, 'model.safetensors')
  writeFileSync(model, (await fitDetector([batchOfRows(rows)], { rate: 0.01, effort: 0.1 })).artifact)
  const file = join(folder, 'pipeline.yaml')
  const port = await freePort()
  const withRate = (rate: number) =>
    JSON.stringify({
      name: 'reload',
      kafka: { 'bootstrap.servers': brokers, 'group.id': `g-${topic}` },
      source: { type: 'kafka', topics: [topic], start: 'earliest' },
      sinks: [{ type: 'kafka', anomalies: false }],
      model: { file: model },
      alerts: { rate },
      store: { type: 'duckdb', path: join(folder, 'scores.duckdb') },
      api: { listen: `127.0.0.1:${port}` },
    })
  writeFileSync(file, withRate(0.01))
  await using run = startNode(SURPRISAL, ['run', file])
  const metric = async (name: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
    const line = (await response?.text())?.split('\n').find((line) => line.startsWith(name))
    return Number(line?.split(' ').at(-1))
  }
  const becomes = (name: string, value: number) =>
    expect.poll(() => metric(name), { timeout: 60_000, interval: 100 }).toBe(value)
  let sent = 0
  /** Half of all records are improbable under a rate of 0.5, whatever the fit has learned. */
  const flaggedOfMore = async () => {
    const values = rows.slice(sent, sent + PER_STAGE).map((row) => ({ value: JSON.stringify(row) }))
    await produce(brokers, topic, values)
    sent += PER_STAGE
    const scored = await readTopic(brokers, `${topic}.scored`, (_, count) => count === sent, 60_000)
    return scored.slice(-PER_STAGE).filter(({ value }) => JSON.parse(String(value)).is_anomaly).length
  }

  const before = await flaggedOfMore()
  writeFileSync(file, withRate(0.5))
  run.process.kill('SIGHUP')
  await becomes('surprisal_config_reloads_total{pipeline="reload",result="applied"}', 1)
  const after = await flaggedOfMore()
  expect(before).toBeLessThan(PER_STAGE / 5)
  expect(after).toBeGreaterThan(PER_STAGE / 5)

  writeFileSync(file, withRate(7))
  run.process.kill('SIGHUP')
  await becomes('surprisal_config_reloads_total{pipeline="reload",result="refused"}', 1)
  await becomes('surprisal_config_last_reload_successful{pipeline="reload"}', 0)
  expect(run.errors()).toMatch(/alerts\.rate.*7/)
  expect(await flaggedOfMore()).toBeGreaterThan(PER_STAGE / 5)
  await becomes('surprisal_alarm_rate_nominal{pipeline="reload"}', 0.5)
  expect(await run.end('SIGTERM'), run.errors()).toBe(0)
})
