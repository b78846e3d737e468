/**
 * What one record costs the main thread of a stream, stage by stage and without a broker: reading it from a fetch,
 * decoding it into columns, writing its score as JSON, putting that into a request. As it is, and with the client's own
 * modules and a parsed object a record. µs of CPU, the median of many rounds of one slice.
 * Run: npm run build && npx esbuild bench/kafka-stages.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/kafka-stages.mjs && node dist/bench/kafka-stages.mjs
 */
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { kafkaRecordOptions } from '../connectors/kafka/options.ts'
import { inGroups } from '../connectors/kafka/produce/request-groups.ts'
import { everyRow, recordMessages } from '../connectors/kafka/produce/scored-messages.ts'
import { decodeJson } from '../connectors/kafka/values/json.ts'
import { RecordDecoder, type ValueDecoder } from '../connectors/kafka/values/record-decoder.ts'
import { encodedProduce, type ProduceProtocol } from '../connectors/kafka/wire/encoded-produce.ts'
import { type BatchClass, fetchedBatch } from '../connectors/kafka/wire/fetched-batch.ts'
import { type FetchDecoder, fetchedRecords } from '../connectors/kafka/wire/fetched-records.ts'
import { recordBatch } from '../connectors/kafka/wire/record-batch.ts'
import { type RequestEncoder, wholeRequest } from '../connectors/kafka/wire/whole-request.ts'
import type { Delivery } from '../src/core/ports.ts'
import { quantile } from '../src/features/columns/scaling.ts'
import { constantScores } from './constant-scores.ts'
import { FIELDS, reading } from './readings.ts'

const ROWS = 2000
const ROUNDS = 120
const WARM = 30
const STAGES = ['fetch', 'decode', 'encode', 'send'] as const

const require = createRequire(import.meta.url)
const FetchBuffer = require('kafkajs/src/protocol/decoder')
const decodeMessages: FetchDecoder = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
const Batch: BatchClass = require('kafkajs/src/consumer/batch')
const produce: ProduceProtocol = require('kafkajs/src/protocol/requests/produce')
const createRequest: RequestEncoder = require('kafkajs/src/protocol/request')
const parsed: ValueDecoder = (topic, value) => decodeJson(topic, value)

const client = { decodeMessages, Batch, produce, createRequest, decoder: parsed }
const ours = {
  decodeMessages: fetchedRecords(decodeMessages),
  Batch: fetchedBatch(Batch),
  produce: encodedProduce(produce),
  createRequest: wholeRequest,
  decoder: decodeJson,
}

async function spend(modules: typeof ours): Promise<number[]> {
  const sent = Array.from({ length: ROWS }, (_, i) => ({
    key: `k${i % 64}`,
    value: JSON.stringify(reading()),
  }))
  const none = { producerId: -1n, producerEpoch: 0, firstSequence: 0, transactional: false, codec: 0 }
  const batch = await recordBatch(sent, none)
  const size = Buffer.alloc(4)
  size.writeInt32BE(batch.length)
  const records = new RecordDecoder(kafkaRecordOptions.parse({ fields: FIELDS }), modules.decoder)
  const spent: number[][] = STAGES.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    const marks = [process.cpuUsage()]
    const mark = () => marks.push(process.cpuUsage())
    const messages = await modules.decodeMessages(new FetchBuffer(Buffer.concat([size, batch])))
    const fetched = new modules.Batch('in', '0', { messages, abortedTransactions: [] })
    mark()
    const slice = await records.decode('in', 0, fetched.messages)
    mark()
    const scored = constantScores(slice.batch, 'bench')
    const out = recordMessages(scored, slice as unknown as Delivery, everyRow(scored))
    mark()
    for (const [{ messages }] of inGroups([{ topic: 'out', messages: out }], 900_000)) {
      const topicData = [{ topic: 'out', partitions: [{ partition: 0, messages }] }]
      const { request } = modules.produce.protocol({ version: 7 })({ acks: -1, timeout: 1000, topicData })
      const whole = { correlationId: 1, clientId: 'bench', request }
      await modules.createRequest(whole as unknown as Parameters<RequestEncoder>[0])
    }
    mark()
    if (round < WARM) continue
    for (let s = 0; s < STAGES.length; s++) {
      const micros = ({ user, system }: NodeJS.CpuUsage) => user + system
      spent[s].push((micros(marks[s + 1]) - micros(marks[s])) / ROWS)
    }
  }
  return spent.map((own) => quantile(Float64Array.from(own).sort(), 0.5))
}

console.log(`${cpus()[0].model}, Node ${process.version}, JSON of ${FIELDS.length} numbers, µs CPU a record`)
console.log(`| | ${STAGES.join(' | ')} | all |`)
console.log(`| --- |${' --- |'.repeat(STAGES.length + 1)}`)
for (const [name, modules] of Object.entries({ 'the client’s own': client, ours })) {
  const spent = await spend(modules as typeof ours)
  const all = spent.reduce((sum, own) => sum + own, 0)
  console.log(`| ${name} | ${[...spent, all].map((own) => own.toFixed(2)).join(' | ')} |`)
}
