/** The producing side of bench/kafka.ts, a process of its own so that its work is not counted as the pipeline's. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import avro from 'avsc'
import type { Message } from 'kafkajs'
import { Kafka, logLevel } from '../connectors/kafka/wire/kafkajs.ts'
import { RawProducer, Template } from './kafka-produce.ts'
import { AVRO_SCHEMA, reading } from './readings.ts'

export interface Load {
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
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

/** Records of one tick and partition. */
const recordsOfTick = (perSecond: number, partitions: number) =>
  Math.max(1, Math.round((perSecond * TICK_MS) / 1000 / partitions))

/** As many records as whole ticks hold in about so many seconds. */
export function pacedRecords(perSecond: number, partitions: number, seconds: number): number {
  const tick = partitions * recordsOfTick(perSecond, partitions)
  return tick * Math.round((perSecond * seconds) / tick)
}

/** Runs `produceLoad` in a process of its own, until it ends. */
export async function startLoad(settings: Load): Promise<void> {
  const child = spawn(process.execPath, [process.argv[1], '--load', JSON.stringify(settings)], {
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the load ended with ${code}`)
}

export async function produceLoad(load: Load): Promise<void> {
  const encode = encoder(load.format)
  const messages = Array.from(
    { length: Math.min(load.records, DISTINCT) },
    (_, i): Message => ({
      key: `k${i % 64}`,
      value: encode(reading()),
    }),
  )
  await (load.perSecond === undefined ? atOnce(load, messages) : paced(load, load.perSecond, messages))
}

async function atOnce({ brokers, topic, records }: Load, messages: readonly Message[]): Promise<void> {
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  for (let sent = 0; sent < records; sent += 2000) {
    const count = Math.min(2000, records - sent, messages.length)
    const from = sent % (messages.length - count + 1)
    await producer.send({ topic, acks: 1, messages: messages.slice(from, from + count) })
  }
  await producer.disconnect()
}

/**
 * An open loop: every record is due at a time of its own, which is its timestamp, and is sent at the end of its tick
 * whether or not the broker has answered the one before. What the broker or the machine keeps waiting counts as latency.
 */
async function paced(
  { brokers, topic, partitions, records }: Load,
  perSecond: number,
  messages: readonly Message[],
): Promise<void> {
  const each = recordsOfTick(perSecond, partitions)
  const tick = (1000 * each * partitions) / perSecond
  const templates: Template[] = []
  for (let from = 0; from + each <= messages.length; from += each)
    templates.push(await Template.of(messages.slice(from, from + each), tick / each))
  await using producer = await RawProducer.connect(brokers, topic)
  const started = performance.timeOrigin + performance.now()
  const ticks = Math.round(records / each / partitions)
  for (let k = 0, next = 0; k < ticks; k++) {
    const due = started + k * tick
    const early = due + tick - (performance.timeOrigin + performance.now())
    if (early > 0) await sleep(early)
    const batches = Array.from({ length: partitions }, () => templates[next++ % templates.length])
    producer.send(batches.map((template) => template.at(due)))
  }
  await producer.answered()
}
