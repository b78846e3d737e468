/**
 * Records per second and end-to-end latency of the streaming pipeline: a topic in, scored by a fitted detector, a topic
 * out, one process, against a broker on the same machine. Throughput: a backlog from earliest to its end. Latency: at
 * half of that rate, from the broker's append of a record to the acknowledgement of its batch, when its score is written.
 * Run: SURPRISAL_TEST_KAFKA=host:port optional; npm run build && npx esbuild bench/kafka.ts --bundle \
 *   --packages=external --platform=node --target=node20 --format=esm --outfile=dist/bench/kafka.mjs && \
 *   node dist/bench/kafka.mjs [RECORDS]
 */
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, Kafka, logLevel, type Message } from 'kafkajs'
import { decodeJson } from '../connectors/kafka/json.ts'
import { kafkaOptions, kafkaSinkOptions, kafkaSourceOptions } from '../connectors/kafka/options.ts'
import { RecordDecoder } from '../connectors/kafka/record-decoder.ts'
import { KafkaSink } from '../connectors/kafka/sink.ts'
import { KafkaSource } from '../connectors/kafka/source.ts'
import { random } from '../src/core/random.ts'
import { batchOfRows } from '../src/core/record.ts'
import { SILENT } from '../src/core/telemetry.ts'
import { Detector } from '../src/detect/detector.ts'
import { fitDetector } from '../src/detect/fit-detector.ts'
import { runPipeline } from '../src/pipeline/run.ts'
import { ScorerHandle } from '../src/pipeline/scorer-handle.ts'
import { startKafka } from '../test/services/kafka.ts'

const COLUMNS = 16
const PARTITIONS = 4
const total = Number(process.argv[2] ?? 300_000)
const fields = Array.from({ length: COLUMNS }, (_, c) => `f${c}`)
const { normal } = random(1)

function record(): Record<string, number> {
  const common = normal()
  return Object.fromEntries(fields.map((name, c) => [name, (c % 3) * common + normal()]))
}

async function produce(client: Kafka, topic: string, messages: readonly Message[]): Promise<void> {
  const producer = client.producer()
  await producer.connect()
  for (let i = 0; i < messages.length; i += 2000)
    await producer.send({ topic, messages: messages.slice(i, i + 2000) })
  await producer.disconnect()
}

async function createTopic(admin: Admin, topic: string): Promise<void> {
  const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
  await admin.createTopics({
    topics: [{ topic, numPartitions: PARTITIONS, configEntries }],
    waitForLeaders: true,
  })
}

interface Run {
  readonly encoding: 'json' | 'packed'
  readonly exactlyOnce: boolean
}

function start(brokers: string, topic: string, detector: Detector, { encoding, exactlyOnce }: Run) {
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers })
  const options = kafkaSourceOptions.parse({ type: 'kafka', topics: [topic], start: 'earliest', fields })
  const groupId = `bench-${topic}-${encoding}-${exactlyOnce}-${Date.now()}`
  const decoder = new RecordDecoder(options, decodeJson)
  const source = new KafkaSource({ kafka, groupId, options, decoder, logger: SILENT, exactlyOnce })
  const settings = { type: 'kafka', scored: `${topic}.${encoding}.${exactlyOnce}`, encoding }
  const sink = new KafkaSink(kafka, kafkaSinkOptions.parse(settings), topic, SILENT)
  const stop = new AbortController()
  let done = 0
  let first = 0
  const delays: number[] = []
  const running = runPipeline({
    pipeline: 'bench',
    source,
    sinks: [sink],
    scorer: new ScorerHandle(detector.withRate(0.001)),
    signal: stop.signal,
    explain: false,
    observe: ({ batch }) => {
      first ||= performance.now()
      done += batch.rows
      for (const time of batch.eventTime ?? []) delays.push(Date.now() - time)
    },
  })
  return {
    async finish() {
      stop.abort()
      await running
      await source[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
    },
    async reach(count: number) {
      while (done < count) await sleep(20)
    },
    rate: () => (done / (performance.now() - first)) * 1000,
    delays,
  }
}

const quantile = (sorted: readonly number[], p: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]

const broker = process.env.SURPRISAL_TEST_KAFKA ? undefined : await startKafka()
const brokers = process.env.SURPRISAL_TEST_KAFKA ?? broker!.brokers
const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
const admin = client.admin()
await admin.connect()
const { artifact } = await fitDetector([batchOfRows(Array.from({ length: 2000 }, record))])
const detector = await Detector.load(artifact)
const messages = Array.from(
  { length: total },
  (_, i): Message => ({ key: `k${i % 64}`, value: JSON.stringify(record()) }),
)
console.log(
  `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, ${total} records × ${COLUMNS}`,
)
for (const run of [
  { encoding: 'json', exactlyOnce: false },
  { encoding: 'packed', exactlyOnce: false },
  { encoding: 'json', exactlyOnce: true },
  { encoding: 'packed', exactlyOnce: true },
] as const) {
  const topic = `bench-${run.encoding}-${run.exactlyOnce}-${Date.now()}`
  await createTopic(admin, topic)
  await createTopic(admin, `${topic}.${run.encoding}.${run.exactlyOnce}`)
  await produce(client, topic, messages)
  const cpu = process.cpuUsage()
  const pipeline = start(brokers, topic, detector, run)
  await pipeline.reach(total)
  const rate = pipeline.rate()
  const { user, system } = process.cpuUsage(cpu)
  pipeline.delays.length = 0
  const chunk = Math.round(rate / 2 / 50)
  const producer = client.producer()
  await producer.connect()
  const from = performance.now()
  for (let tick = 1; tick <= 500; tick++) {
    await producer.send({ topic, messages: messages.slice(0, chunk) })
    await sleep(Math.max(0, from + tick * 20 - performance.now()))
  }
  await producer.disconnect()
  await pipeline.reach(total + 500 * chunk)
  await pipeline.finish()
  const sorted = pipeline.delays.sort((a, b) => a - b)
  console.log(
    [
      `JSON in, ${run.encoding} out, ${run.exactlyOnce ? 'exactly once' : 'at least once'}:`,
      `${Math.round(rate)} records/s, ${((user + system) / total).toFixed(1)} µs CPU per record;`,
      `at half load p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms, p99.9 ${quantile(sorted, 0.999)} ms`,
    ].join(' '),
  )
}
await detector[Symbol.asyncDispose]()
await admin.disconnect()
await broker?.[Symbol.asyncDispose]()
process.exit(0)
