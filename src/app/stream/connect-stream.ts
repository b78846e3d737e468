import type { PipelineConfig } from '../../../config/pipeline.ts'
import type { KafkaOptions, KafkaSourceOptions } from '../../../connectors/kafka/options.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { DeadLetters, Sink, Source } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'
import type { Logger } from '../../core/telemetry.ts'
import { AlertOutbox } from '../../pipeline/alert-outbox.ts'

/** What a pipeline reads: live, and once more from the start of a window to learn from. */
export interface ConnectedSource {
  readonly source: Source
  /** Named in the lineage of models. */
  readonly description: string
  /** Records that a fit could learn from now, from a time (epoch milliseconds) on; null where only reading tells. */
  count(since: number, signal: AbortSignal): Promise<number | null>
  window(since: number, signal: AbortSignal): AsyncIterable<RecordBatch>
}

export async function connectSource(config: PipelineConfig, logger: Logger): Promise<ConnectedSource> {
  const { source } = config
  return source.type === 'kafka' ? kafkaSource(config, source, logger) : fileSource(config)
}

export function groupIdOf({ name, kafka }: PipelineConfig): string {
  return kafka?.['group.id'] ?? `surprisal-${name}`
}

async function kafkaSource(
  config: PipelineConfig,
  source: KafkaSourceOptions,
  logger: Logger,
): Promise<ConnectedSource> {
  const { KafkaSource } = await import('../../../connectors/kafka/source.ts')
  const { RecordDecoder } = await import('../../../connectors/kafka/values/record-decoder.ts')
  const { TopicReplay } = await import('../../../connectors/kafka/replay.ts')
  const { valueDecoder } = await import('../../../connectors/kafka/values/value-decoder.ts')
  const { features } = config
  const options: KafkaSourceOptions = {
    ...source,
    event_time: { ...source.event_time, field: source.event_time.field ?? features.time },
    entity: source.entity ?? (features.entity === undefined ? undefined : { field: features.entity }),
  }
  const kafka = kafkaOf(config)
  const values = await valueDecoder(options)
  const replay = new TopicReplay(kafka, options, new RecordDecoder(options, values), logger)
  const live = new KafkaSource({
    replay,
    kafka,
    groupId: groupIdOf(config),
    options,
    decoder: new RecordDecoder(options, values),
    logger,
    exactlyOnce: config.delivery === 'exactly-once',
  })
  return {
    source: live,
    description: live.name,
    count: (since, signal) => replay.count(since, signal),
    window: (since, signal) => replay.records(since, signal),
  }
}

async function fileSource(config: PipelineConfig): Promise<ConnectedSource> {
  const { source, features } = config
  if (source.type !== 'file') throw new SurprisalError('INTERNAL', `no source of type ${source.type}`)
  const { openFiles } = await import('../../../connectors/files/open.ts')
  const settings = {
    where: Object.entries(source.where).map(([column, value]) => ({ column, value: String(value) })),
    ...(features.time !== undefined && { time: features.time }),
    ...(features.entity !== undefined && { entity: features.entity }),
  }
  return {
    source: await openFiles(source.paths, settings),
    description: source.paths.join(', '),
    count: async () => null,
    async *window(_since, signal) {
      await using files = await openFiles(source.paths, settings)
      for await (const { batch } of files.deliveries(signal)) yield batch
    },
  }
}

/** The sinks that take records; a webhook takes alerts. */
export async function connectSinks(config: PipelineConfig, logger: Logger): Promise<Sink[]> {
  const sinks: Sink[] = []
  for (const sink of config.sinks) {
    if (sink.type === 'kafka') {
      const { KafkaSink } = await import('../../../connectors/kafka/sink.ts')
      sinks.push(new KafkaSink(kafkaOf(config), sink, config.name, logger))
    } else if (sink.type === 'file') {
      const { fileSink } = await import('../../../connectors/files/open-sink.ts')
      const format = sink.format === undefined ? {} : { format: sink.format }
      sinks.push(await fileSink(sink.path, { keep: sink.keep, ...format }))
    }
  }
  return sinks
}

export async function connectAlerts(config: PipelineConfig, logger: Logger): Promise<AlertOutbox[]> {
  const outboxes: AlertOutbox[] = []
  for (const sink of config.sinks) {
    if (sink.type !== 'webhook') continue
    const { WebhookChannel } = await import('../../../connectors/webhook/channel.ts')
    outboxes.push(new AlertOutbox(new WebhookChannel(sink), sink, logger))
  }
  return outboxes
}

export async function connectDeadLetters(
  config: PipelineConfig,
  logger: Logger,
): Promise<DeadLetters | undefined> {
  if (config.dead_letters === false || config.source.type !== 'kafka') return undefined
  const { KafkaDeadLetters } = await import('../../../connectors/kafka/dead-letters.ts')
  return new KafkaDeadLetters(kafkaOf(config), config.name, config.dead_letters.topic, logger)
}

function kafkaOf({ kafka }: PipelineConfig): KafkaOptions {
  if (kafka === undefined) throw new SurprisalError('CONFIG_INVALID', 'kafka: bootstrap.servers is missing')
  return kafka
}
