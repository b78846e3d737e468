import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaMessage, Producer } from 'kafkajs'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { type PipelineConfig, pipelineSchema } from '../../config/pipeline.ts'
import { FsModelRegistry } from '../../connectors/fs/model-registry.ts'
import { connectQueue } from '../../src/app/connect.ts'
import { runTrainer } from '../../src/app/jobs/trainer.ts'
import { runPipelineFile } from '../../src/app/stream/run-pipeline.ts'
import { random } from '../../src/core/random.ts'
import { batchOfRows } from '../../src/core/record.ts'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { fitDetector } from '../../src/detect/fit/fit-detector.ts'
import { shared } from '../services/shared.ts'
import { createOutputs, newTopic, testKafka } from '../services/topics.ts'

const NAME = 'flights'
const RATE = 0.02
const PARTITIONS = 2
const HOUR = 3_600_000

/** Distance and duration go together; from a day on every flight takes `late` minutes longer. */
function flightSource(seed: number) {
  const r = random(seed)
  return (late: number) => {
    const distance = 200 + 2000 * r.uniform()
    return { distance, minutes: distance / 10 + 10 * r.normal() + late, cabin: 'ABC'[r.integer(3)] }
  }
}

describe('a pipeline on Kafka whose jobs wait on Redis', () => {
  const cleanup: (() => unknown)[] = []
  afterEach(async () => {
    for (const undo of cleanup.splice(0).reverse()) await undo()
  })

  /** A topic, its pipeline with a first champion, and what came out of it. */
  async function world(retrain: object) {
    const [brokers, url] = [await shared('kafka'), await shared('redis')]
    const topic = await newTopic(brokers, PARTITIONS, NAME)
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-self-'))
    cleanup.push(() => rmSync(folder, { recursive: true, force: true }))
    const config = pipelineSchema.parse({
      name: NAME,
      kafka: { 'bootstrap.servers': brokers, 'group.id': `g-${topic}` },
      source: { type: 'kafka', topics: [topic], start: 'earliest', max_slice_records: 500 },
      sinks: [{ type: 'kafka' }],
      store: { type: 'memory' },
      alerts: { rate: RATE },
      queue: { type: 'bullmq', url, prefix: `test-${randomUUID()}`, backoff_ms: 10, lock_ms: 2000 },
      registry: { type: 'fs', path: join(folder, 'models') },
      retrain: { min_records: 500, window: '1h', ...retrain },
      model: { backend: 'kernel' },
      api: { listen: '127.0.0.1:0' },
    })
    const registry = new FsModelRegistry(join(folder, 'models'))
    const learn = async (seed: number): Promise<number> => {
      const flight = flightSource(seed)
      const rows = Array.from({ length: 2000 }, () => flight(0))
      const { artifact } = await fitDetector([batchOfRows(rows)], { rate: RATE, effort: 0.3, seed })
      return (await registry.put(NAME, artifact, {}, await registry.fence(NAME))).version
    }
    await createOutputs(brokers, topic)
    const client = testKafka(brokers)
    const producer = client.producer()
    await producer.connect()
    cleanup.push(() => producer.disconnect())
    return { config, registry, learn, ...writer(producer, topic), ...(await reader(client, topic)) }
  }

  /** Sends flights, and knows the ids that must come out. */
  function writer(producer: Producer, topic: string) {
    const sent = new Set<string>()
    const flight = flightSource(77)
    const send = async (count: number, late: number, from: number, to = from) => {
      const messages = Array.from({ length: count }, (_, i) => ({
        partition: i % PARTITIONS,
        value: JSON.stringify(flight(late)),
        timestamp: String(Math.round(from + ((to - from) * i) / count)),
      }))
      const answers = await producer.send({ topic, messages })
      for (const { partition, baseOffset } of answers) {
        const own = messages.filter((message) => message.partition === partition).length
        for (let i = 0; i < own; i++) sent.add(`${topic}-${partition}-${Number(baseOffset) + i}`)
      }
    }
    return { sent, send }
  }

  /** Follows the scored topic; a record that comes twice is told. */
  async function reader(client: ReturnType<typeof testKafka>, topic: string) {
    const consumer = client.consumer({ groupId: `reader-${topic}`, maxWaitTimeInMs: 100 })
    await consumer.connect()
    cleanup.push(() => consumer.disconnect())
    await consumer.subscribe({ topics: [`${topic}.scored`], fromBeginning: true })
    const scored: ScoredRecord[] = []
    const eachMessage = async ({ message }: { message: KafkaMessage }) => {
      scored.push(JSON.parse(String(message.value)))
    }
    await consumer.run({ eachMessage })
    return { scored }
  }

  /** Resolves to the address of the API, where the role serves one. */
  function started(config: PipelineConfig, role: typeof runPipelineFile | typeof trainer) {
    const stop = new AbortController()
    return new Promise<string>((resolve, reject) => {
      const write = (line: string) => {
        const { url } = JSON.parse(line)
        if (url) resolve(url)
      }
      const working = role(config, stop.signal, pino({ level: 'info' }, { write }))
      working.catch(reject)
      cleanup.push(async () => {
        stop.abort()
        await working
      })
    })
  }
  const trainer = (config: PipelineConfig, signal: AbortSignal) => runTrainer(config, {}, signal, SILENT)
  const got = async (url: string) =>
    (await (await fetch(url)).json()) as {
      readonly shadow?: Record<string, number>
      readonly items: readonly ScoredRecord[]
    }

  const alarmRate = (records: readonly ScoredRecord[]): number =>
    records.filter((record) => record.is_anomaly).length / records.length
  /** Twice the nominal rate and three standard deviations, which is what the gate allows. */
  const limit = (n: number): number => 2 * RATE + 3 * Math.sqrt((2 * RATE) / n)

  it('sees a planted drift, names it, retrains, promotes and swaps; loses no record', async () => {
    const { config, registry, learn, sent, send, scored } = await world({
      drift: 'retrain',
      drift_debounce: '0.02m',
    })
    await registry.setAlias(NAME, 'champion', await learn(1), 'ada', 'the first')
    await using queue = await connectQueue(config)
    started(config, runPipelineFile).catch(() => {})
    started(config, trainer).catch(() => {})
    const now = Date.now()
    await send(2000, 0, now - 4 * HOUR, now - 3 * HOUR)
    await expect.poll(() => scored.length, { timeout: 60_000 }).toBe(2000)
    const before = scored.slice()
    expect(alarmRate(before)).toBeLessThan(limit(2000))
    expect(await queue.jobs({})).toEqual([])

    await send(3000, 60, now - HOUR / 2, now)
    const swapped = () => scored.filter(({ model_version: version }) => version > 1)
    while (swapped().length < 2000) {
      await send(100, 60, Date.now())
      await sleep(100)
      const [failed] = await queue.jobs({ states: ['failed'] })
      expect(failed?.error ?? null).toBeNull()
    }
    await expect.poll(() => scored.length, { timeout: 60_000 }).toBe(sent.size)

    // Chance may reject a challenger of so few records once, and a look before the swap may ask for a job too many.
    const jobs = await queue.jobs({})
    const [job, ...more] = jobs.filter(({ result }) => result?.promoted === true)
    expect(more).toEqual([])
    expect(job).toMatchObject({ state: 'completed', request: { trigger: 'drift', who: 'drift watch' } })
    expect(job.request.reason).toMatch(/^drifted: .*minutes \(stability index/)
    expect((await registry.alias(NAME, 'champion'))?.version).toBe(job.result?.version)
    expect(new Set(swapped().map(({ model_version: version }) => version))).toEqual(
      new Set([job.result?.version]),
    )
    expect(new Set(scored.map(({ id }) => id))).toEqual(sent)
    expect(scored.filter(({ verdict }) => verdict === 'unscored')).toEqual([])
    const late = scored.slice(2000).filter(({ model_version: version }) => version === 1)
    expect(alarmRate(late)).toBeGreaterThan(10 * RATE)
    expect(alarmRate(swapped())).toBeLessThan(limit(swapped().length))
  })

  it('goes back a version under load, between two batches, without losing a record', async () => {
    const { config, registry, learn, sent, send, scored } = await world({ drift: 'off' })
    for (const seed of [1, 2]) await registry.setAlias(NAME, 'champion', await learn(seed), 'ada', 'better')
    started(config, runPipelineFile).catch(() => {})
    const until = async (version: number) => {
      while (scored.at(-1)?.model_version !== version) {
        await send(100, 0, Date.now())
        await sleep(50)
      }
    }
    await until(2)
    await registry.setAlias(NAME, 'champion', 1, 'ada', 'the newer one cried wolf')
    await until(1)
    await expect.poll(() => scored.length, { timeout: 60_000 }).toBe(sent.size)
    expect(new Set(scored.map(({ id }) => id))).toEqual(sent)
    expect(scored.filter(({ verdict }) => verdict === 'unscored')).toEqual([])
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = scored.filter(({ source }) => source.partition === partition)
      const versions = own.map(({ model_version: version }) => version)
      expect(versions.filter((version, i) => version !== versions[i - 1])).toEqual([2, 1])
    }
    expect((await registry.history(NAME)).at(-1)).toMatchObject({
      version: 1,
      previous: 2,
      who: 'ada',
      why: 'the newer one cried wolf',
    })
  })

  it('lets a challenger that waits for approval score in the shadow of the champion, until it is one', async () => {
    const { config, registry, learn, send, scored } = await world({ drift: 'off', promote: 'manual' })
    await registry.setAlias(NAME, 'champion', await learn(1), 'ada', 'the first')
    await registry.setAlias(NAME, 'challenger', await learn(2), 'trainer', 'waits for approval')
    const pipeline = `${await started(config, runPipelineFile)}/api/v1/pipelines/${NAME}`
    let shadow: Record<string, number> | undefined
    while (!(shadow !== undefined && shadow.records > 0)) {
      await send(100, 0, Date.now())
      await sleep(100)
      shadow = (await got(pipeline)).shadow
    }
    const { version, records, both, neither, only_champion, only_challenger, unscored } = shadow
    expect(version).toBe(2)
    expect(both + neither + only_champion + only_challenger + unscored).toBe(records)
    const { items } = await got(`${pipeline}/scores?run_id=shadow-2`)
    expect(items.map((item) => item.model_version)).toContain(2)
    expect(scored.map((record) => record.model_version)).not.toContain(2)

    await registry.setAlias(NAME, 'champion', 2, 'ada', 'as good')
    await registry.setAlias(NAME, 'challenger', null, 'ada', 'version 2 is the champion now')
    while (scored.at(-1)?.model_version !== 2) {
      await send(100, 0, Date.now())
      await sleep(50)
    }
    await expect.poll(async () => (await got(pipeline)).shadow, { timeout: 10_000 }).toBeUndefined()
  })
})
