/**
 * Records per second, end-to-end latency and CPU of the streaming pipeline: a topic in, scored by a fitted detector, a
 * topic out, one process, against a broker on the same machine; the load comes from a process of its own. Throughput: a
 * backlog from its first record to its last. CPU per record: score is what every thread but the main one takes, the
 * collector's included; decode and encode are the shares of the main thread that they are timed to take, and the rest of
 * it is the client. Latency: at shares of that rate, from when a record was due to be sent (kafka-load.ts) to the
 * acknowledgement of its score (exactly once: to the commit of the transaction); "committed" is when its offset is, too;
 * "saturated" of how many tenths of a second no processor had any time left. All cases take some eight minutes.
 * Run: npm run build && npx esbuild bench/kafka.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/kafka.mjs && node dist/bench/kafka.mjs [--records N] [--only SUBSTRING] \
 *   [--shares 0.1,0.25,0.5]
 * --only takes the cases whose name holds the text; --shares '' leaves the latency out; --bare scores by a constant, which
 * shows what the stream itself costs. SURPRISAL_TEST_KAFKA=host:port names a running broker, of one node.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Admin } from 'kafkajs'
import { Kafka, logLevel } from '../connectors/kafka/wire/kafkajs.ts'
import { batchOfRows } from '../src/core/record.ts'
import { Detector } from '../src/detect/detector.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'
import { quantile } from '../src/features/columns/scaling.ts'
import { startKafka } from '../test/services/kafka.ts'
import { pacedRecords, produceLoad, startLoad } from './kafka-load.ts'
import { type Case, constant, startStream } from './kafka-stream.ts'
import { cpuNow, ProcessorTime } from './processor-time.ts'
import { AVRO_SCHEMA, FIELDS, reading } from './readings.ts'

const PARTITIONS = 4
const PACED_SECONDS = 10
/** The load's start, which is left out. */
const SETTLING_SECONDS = 2
const WARM_RECORDS = 20_000

const nameOf = ({ format, encoding, exactlyOnce }: Case) =>
  `${format} in, ${encoding} out, ${exactlyOnce ? 'exactly' : 'at least'} once`

async function createTopics(admin: Admin, topic: string): Promise<void> {
  const topics = [topic, `${topic}.scored`, `${topic}.anomalies`]
  await admin.createTopics({
    topics: topics.map((name) => ({ topic: name, numPartitions: PARTITIONS })),
  })
  // Waiting for leaders gives up at once while a busy broker has not heard of the topic itself.
  await sleep(1000)
}

const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`

async function main(records: number, only: string, loads: readonly number[], bare: boolean): Promise<void> {
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
  console.log(row(...heads))
  console.log(row(...heads.map(() => '---')))
  const latencies: string[] = []
  const cases = (['json', 'avro'] as const).flatMap((format) =>
    ([false, true] as const).flatMap((exactlyOnce) =>
      (['json', 'packed'] as const).map((encoding): Case => ({ format, encoding, exactlyOnce })),
    ),
  )
  for (const which of cases.filter((one) => nameOf(one).includes(only))) {
    const topic = `bench-${Object.values(which).join('-')}-${Date.now()}`
    await createTopics(admin, topic)
    const total = WARM_RECORDS + records
    const load = { brokers, topic, partitions: PARTITIONS, format: which.format }
    await startLoad({ ...load, records: total })
    const scorer = artifact === undefined ? constant() : await Detector.load(artifact)
    const pipeline = startStream(brokers, registryUrl, topic, scorer, which)
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
    console.log(row(nameOf(which), ...cells))
    let sent = total
    for (const share of loads) {
      const perSecond = rate * share
      const paced = pacedRecords(perSecond, PARTITIONS, PACED_SECONDS + SETTLING_SECONDS)
      const settling = pacedRecords(perSecond, PARTITIONS, SETTLING_SECONDS)
      const loaded = startLoad({ ...load, records: paced, perSecond })
      await pipeline.reach(sent + settling)
      const { out, committed } = pipeline.delays
      out.length = 0
      committed.length = 0
      using processors = new ProcessorTime()
      await loaded
      const { busy, saturated, ours } = processors.shares()
      sent += paced
      await pipeline.reach(sent)
      const quantiles = (delays: readonly number[], ...at: number[]) => {
        const sorted = Float64Array.from(delays).sort()
        return at.map((q) => Math.round(quantile(sorted, q)))
      }
      const percent = (part: number) => `${Math.round(100 * part)} %`
      const figures = [...quantiles(out, 0.5, 0.99, 0.999), ...quantiles(committed, 0.99)]
      const work = [busy, saturated, ours].map(percent)
      latencies.push(row(nameOf(which), percent(share), Math.round(perSecond), ...figures, ...work))
    }
    await pipeline.finish()
    await scorer[Symbol.asyncDispose]()
  }
  const titles = [
    '',
    'load',
    'records/s',
    'p50 ms',
    'p99',
    'p99.9',
    'committed p99',
    'busy',
    'saturated',
    'this process',
  ]
  if (latencies.length > 0)
    console.log([row(...titles), row(...titles.map(() => '---')), ...latencies].join('\n'))
  await admin.disconnect()
  registry.close()
  await broker?.[Symbol.asyncDispose]()
}

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    only: { type: 'string', default: '' },
    shares: { type: 'string', default: '0.1,0.25,0.5' },
    bare: { type: 'boolean', default: false },
    load: { type: 'string' },
  },
})
if (values.load !== undefined) await produceLoad(JSON.parse(values.load))
else {
  const shares = values.shares.split(',').filter((share) => share !== '')
  await main(Number(values.records), values.only, shares.map(Number), values.bare)
}
process.exit(0)
