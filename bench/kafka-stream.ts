/** The pipeline of bench/kafka.ts, with clocks at its joints. */
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaOptions, kafkaSinkOptions, kafkaSourceOptions } from '../connectors/kafka/options.ts'
import { KafkaSink } from '../connectors/kafka/sink.ts'
import { KafkaSource } from '../connectors/kafka/source.ts'
import { RecordDecoder } from '../connectors/kafka/values/record-decoder.ts'
import { valueDecoder } from '../connectors/kafka/values/value-decoder.ts'
import type { Scorer } from '../src/core/ports.ts'
import { SILENT } from '../src/core/telemetry.ts'
import { runPipeline } from '../src/pipeline/run.ts'
import { ScorerHandle } from '../src/pipeline/scorer-handle.ts'
import { constantScores } from './constant-scores.ts'
import { FIELDS } from './readings.ts'

export interface Case {
  readonly format: 'json' | 'avro'
  readonly encoding: 'json' | 'packed'
  readonly exactlyOnce: boolean
}

export function startStream(brokers: string, registry: string, topic: string, scorer: Scorer, which: Case) {
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
export function constant(): Scorer {
  return {
    modelVersion: 1,
    rate: 0.001,
    score: async (batch, { pipeline }) => constantScores(batch, pipeline),
    async [Symbol.asyncDispose]() {},
  }
}
