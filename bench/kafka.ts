/**
 * Records per second, end-to-end latency and CPU of the streaming pipeline: a topic in, scored by a fitted detector, a
 * topic out, one process, against a broker on the same machine; the load comes from a process of its own. Throughput: a
 * backlog from its first record to its last. Latency: at half of that rate, from the broker's append of a record to its
 * acknowledgement of the score (exactly once: to the commit of the transaction); "committed" is when the offset is, too.
 * CPU per record: score is what every thread but the main one takes, the collector's included; decode and encode are the
 * shares of the main thread that they are timed to take, and the rest of it is the client. All cases take some five
 * minutes, and come as the rows of a table.
 * Run: npm run build && npx esbuild bench/kafka.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/kafka.mjs && node dist/bench/kafka.mjs [--records N] [--only SUBSTRING] [--still]
 * --only takes the cases whose name holds the text; --still leaves the latency out; --bare scores by a constant, which
 * shows what the stream itself costs. SURPRISAL_TEST_KAFKA=host:port names a running broker.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Admin } from 'kafkajs'
import { kafkaOptions, kafkaSinkOptions, kafkaSourceOptions } from '../connectors/kafka/options.ts'
import { KafkaSink } from '../connectors/kafka/sink.ts'
import { KafkaSource } from '../connectors/kafka/source.ts'
import { RecordDecoder } from '../connectors/kafka/values/record-decoder.ts'
import { valueDecoder } from '../connectors/kafka/values/value-decoder.ts'
import { Kafka, logLevel } from '../connectors/kafka/wire/kafkajs.ts'
import type { Scorer } from '../src/core/ports.ts'
import { batchOfRows } from '../src/core/record.ts'
import { SILENT } from '../src/core/telemetry.ts'
import { Detector } from '../src/detect/detector.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'
import { quantile } from '../src/features/columns/scaling.ts'
import { runPipeline } from '../src/pipeline/run.ts'
import { ScorerHandle } from '../src/pipeline/scorer-handle.ts'
import { startKafka } from '../test/services/kafka.ts'
import { constantScores } from './constant-scores.ts'
import { produceLoad, startLoad } from './kafka-load.ts'
import { AVRO_SCHEMA, FIELDS, reading } from './readings.ts'

const PARTITIONS = 4
const PACED_SECONDS = 10
const WARM_RECORDS = 20_000
const MICROS_A_TICK = 10_000

interface Case {
  readonly format: 'json' | 'avro'
  readonly encoding: 'json' | 'packed'
  readonly exactlyOnce: boolean
}

const nameOf = ({ format, encoding, exactlyOnce }: Case) =>
  `${format} in, ${encoding} out, ${exactlyOnce ? 'exactly' : 'at least'} once`

/** CPU time so far, µs: the main thread and all others (Linux counts each thread by itself). */
function cpuNow(): { main: number; others: number } {
  const { user, system } = process.cpuUsage()
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8')
  const [, ticks, kernelTicks] = /^\d+ \(.*\)(?: \S+){11} (\d+) (\d+)/.exec(stat) ?? []
  const main = (Number(ticks) + Number(kernelTicks)) * MICROS_A_TICK
  return { main, others: user + system - main }
}

function start(brokers: string, registry: string, topic: string, scorer: Scorer, which: Case) {
  const kafka = kafkaOptions.parse({ 'bootstrap.servers': brokers })
  const { format, encoding, exactlyOnce } = which
  const options = kafkaSourceOptions.parse({
    type: 'kafka',
    topics: [topic],
    start: 'earliest',
    fields: FIELDS,
    format,
    ...(format === 'avro' && { schema_registry: { url: registry } }),
  })
  const spent = { decode: 0, encode: 0 }
  const timed = <T>(what: keyof typeof spent, work: () => T): T => {
    const from = performance.now()
    try {
      return work()
    } finally {
      spent[what] += performance.now() - from
    }
  }
  const stop = new AbortController()
  const delays = { out: [] as number[], committed: [] as number[] }
  const note = (into: number[], times: Float64Array | undefined) => {
    const now = Date.now()
    for (const time of times ?? []) into.push(now - time)
  }
  let done = 0
  const opened = (async () => {
    const decoder = new RecordDecoder(options, await valueDecoder(options))
    const decode = decoder.decode.bind(decoder)
    decoder.decode = (...slice) => timed('decode', () => decode(...slice))
    const source = new KafkaSource({
      kafka,
      groupId: `g-${topic}`,
      options,
      decoder,
      logger: SILENT,
      exactlyOnce,
    })
    const sink = new KafkaSink(kafka, kafkaSinkOptions.parse({ type: 'kafka', encoding }), topic, SILENT)
    const write = sink.write.bind(sink)
    sink.write = async (scored, delivery) => {
      await timed('encode', () => write(scored, delivery))
      if (!exactlyOnce) note(delays.out, scored.batch.eventTime)
    }
    await runPipeline({
      pipeline: 'bench',
      source,
      sinks: [sink],
      scorer: new ScorerHandle(scorer),
      signal: stop.signal,
      observe: ({ batch }) => {
        done += batch.rows
        note(delays.committed, batch.eventTime)
        if (exactlyOnce) note(delays.out, batch.eventTime)
      },
    })
    await source[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
  })()
  return {
    spent,
    delays,
    async reach(count: number) {
      while (done < count) await Promise.race([sleep(5), opened])
    },
    async finish() {
      stop.abort()
      await opened
    },
  }
}

/** What the stream itself costs. */
function constant(): Scorer {
  return {
    modelVersion: 1,
    rate: 0.001,
    score: async (batch, { pipeline }) => constantScores(batch, pipeline),
    async [Symbol.asyncDispose]() {},
  }
}

async function createTopics(admin: Admin, topic: string): Promise<void> {
  const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
  const topics = [topic, `${topic}.scored`, `${topic}.anomalies`]
  await admin.createTopics({
    topics: topics.map((name) => ({ topic: name, numPartitions: PARTITIONS, configEntries })),
  })
  // Waiting for leaders gives up at once while a busy broker has not heard of the topic itself.
  await sleep(1000)
}

const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`

async function main(records: number, only: string, still: boolean, bare: boolean): Promise<void> {
  const broker = process.env.SURPRISAL_TEST_KAFKA ? undefined : await startKafka()
  const brokers = process.env.SURPRISAL_TEST_KAFKA ?? broker!.brokers
  const registry = createServer((_, response) =>
    response.end(JSON.stringify({ schema: JSON.stringify(AVRO_SCHEMA) })),
  )
  await once(registry.listen(0, '127.0.0.1'), 'listening')
  const registryUrl = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const training = batchOfRows(Array.from({ length: 5000 }, reading))
  const artifact = bare ? undefined : (await fitDetector([training])).artifact
  console.log(
    `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, ${records} records × ${FIELDS.length}`,
  )
  const heads = ['', 'records/s', 'µs CPU per record', 'client', 'decode', 'score', 'encode']
  if (!still) heads.push('p50 ms', 'p99', 'p99.9', 'committed p99')
  console.log(row(...heads))
  console.log(row(...heads.map(() => '---')))
  const cases = (['json', 'avro'] as const).flatMap((format) =>
    ([false, true] as const).flatMap((exactlyOnce) =>
      (['json', 'packed'] as const).map((encoding): Case => ({ format, encoding, exactlyOnce })),
    ),
  )
  for (const which of cases.filter((one) => nameOf(one).includes(only))) {
    const topic = `bench-${Object.values(which).join('-')}-${Date.now()}`
    await createTopics(admin, topic)
    const total = WARM_RECORDS + records
    await startLoad({ brokers, topic, format: which.format, records: total })
    const scorer = artifact === undefined ? constant() : await Detector.load(artifact)
    const pipeline = start(brokers, registryUrl, topic, scorer, which)
    await pipeline.reach(WARM_RECORDS)
    const [from, before, timed, busy] = [
      performance.now(),
      cpuNow(),
      { ...pipeline.spent },
      performance.eventLoopUtilization(),
    ]
    await pipeline.reach(total)
    const rate = (1000 * records) / (performance.now() - from)
    const after = cpuNow()
    const active = performance.eventLoopUtilization(busy).active
    const main = after.main - before.main
    const score = after.others - before.others
    // Clocks run on while another process has the core: only the proportions of timed stretches count.
    const share = (what: 'decode' | 'encode') => (main * (pipeline.spent[what] - timed[what])) / active
    const [decode, encode] = [share('decode'), share('encode')]
    const each = (micros: number) => (micros / records).toFixed(1)
    const cells = [
      Math.round(rate),
      ...[main + score, main - decode - encode, decode, score, encode].map(each),
    ]
    if (!still) {
      const { out, committed } = pipeline.delays
      out.length = 0
      committed.length = 0
      const paced = Math.round((rate / 2) * PACED_SECONDS)
      await startLoad({ brokers, topic, format: which.format, records: paced, perSecond: rate / 2 })
      await pipeline.reach(total + paced)
      // The first second is the load's own start.
      const quantiles = (delays: readonly number[], ...at: number[]) => {
        const sorted = Float64Array.from(delays.slice(Math.round(rate / 2))).sort()
        return at.map((q) => Math.round(quantile(sorted, q)))
      }
      cells.push(...quantiles(out, 0.5, 0.99, 0.999), ...quantiles(committed, 0.99))
    }
    await pipeline.finish()
    await scorer[Symbol.asyncDispose]()
    console.log(row(nameOf(which), ...cells))
  }
  await admin.disconnect()
  registry.close()
  await broker?.[Symbol.asyncDispose]()
}

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    only: { type: 'string', default: '' },
    still: { type: 'boolean', default: false },
    bare: { type: 'boolean', default: false },
    load: { type: 'string' },
  },
})
if (values.load !== undefined) await produceLoad(JSON.parse(values.load))
else await main(Number(values.records), values.only, values.still, values.bare)
process.exit(0)
