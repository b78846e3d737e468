/** The producing side of bench/kafka.ts, a process of its own so that its work is not counted as the pipeline's. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import avro from 'avsc'
import type { Message } from 'kafkajs'
import { Kafka, logLevel } from '../connectors/kafka/wire/kafkajs.ts'
import { AVRO_SCHEMA, reading } from './readings.ts'

export interface Load {
  readonly brokers: string
  readonly topic: string
  readonly format: 'json' | 'avro'
  readonly records: number
  /** As fast as it goes where there is none. */
  readonly perSecond?: number
}

const DISTINCT = 20_000
const TICK_MS = 10

function encoder(format: Load['format']): (record: Record<string, number>) => Buffer {
  if (format === 'json') return (record) => Buffer.from(JSON.stringify(record))
  const type = avro.Type.forSchema(AVRO_SCHEMA as unknown as avro.Schema)
  return (record) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), type.toBuffer(record)])
}

/** Runs `produceLoad` in a process of its own, until it ends. */
export async function startLoad(settings: Load): Promise<void> {
  const child = spawn(process.execPath, [process.argv[1], '--load', JSON.stringify(settings)], {
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the load ended with ${code}`)
}

export async function produceLoad({ brokers, topic, format, records, perSecond }: Load): Promise<void> {
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const encode = encoder(format)
  const messages = Array.from(
    { length: Math.min(records, DISTINCT) },
    (_, i): Message => ({
      key: `k${i % 64}`,
      value: encode(reading()),
    }),
  )
  const size = perSecond === undefined ? 2000 : Math.max(1, Math.round((perSecond * TICK_MS) / 1000))
  const started = performance.now()
  for (let sent = 0, tick = 1; sent < records; sent += size, tick++) {
    const count = Math.min(size, records - sent, messages.length)
    const from = sent % (messages.length - count + 1)
    await producer.send({ topic, acks: 1, messages: messages.slice(from, from + count) })
    if (perSecond !== undefined) await sleep(Math.max(0, started + tick * TICK_MS - performance.now()))
  }
  await producer.disconnect()
}
