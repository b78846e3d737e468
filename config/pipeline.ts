import { z } from 'zod'
import { errorOptions, flowControlOptions } from '../src/pipeline/options.ts'
import { deadLetters, kafka, queue, registry, sink, source, store } from './connectors.ts'
import {
  alertOptions,
  apiOptions,
  featureOptions,
  logOptions,
  modelOptions,
  retrainOptions,
} from './parts.ts'

/** The whole of a pipeline.yaml: a new section is one line here. */
export const pipelineSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,63}$/,
        'lower-case letters, digits, dots, dashes and underscores, at most 64',
      )
      .describe('The pipeline’s name, and its model’s.'),
    kafka: kafka
      .optional()
      .describe('The Kafka cluster, in librdkafka’s words; for a kafka source and sinks.'),
    source: source.describe('Where records come from.'),
    features: featureOptions.prefault({}).describe('What the columns are.'),
    model: modelOptions.prefault({}).describe('How normality is learned.'),
    alerts: alertOptions.prefault({}).describe('When a record is flagged.'),
    sinks: z.array(sink).default([]).describe('Where scored records go; several at once.'),
    delivery: z
      .enum(['at-least-once', 'exactly-once'])
      .default('at-least-once')
      .describe(
        'exactly-once: Kafka outputs and dead letters are written in one transaction with the offsets.',
      ),
    dead_letters: z
      .union([deadLetters, z.literal(false)])
      .prefault({})
      .describe('Where a kafka source’s undecodable records go; false scores them as unscored instead.'),
    errors: errorOptions.prefault({}).describe('How many bad records are borne.'),
    flow_control: flowControlOptions.prefault({}).describe('How much is worked on at once.'),
    store: store.optional().describe('Where scores are kept for queries and the page.'),
    retrain: retrainOptions.prefault({}).describe('When a new model is made.'),
    queue: queue.default({ type: 'memory' }).describe('Where retraining jobs wait.'),
    registry: registry.prefault({ type: 'fs' }).describe('Where model versions are kept.'),
    api: apiOptions.optional().describe('The HTTP API and the page; off without this section.'),
    log: logOptions.prefault({}).describe('What goes to standard error.'),
  })
  .superRefine(({ kafka, source, sinks, delivery }, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    const needs = [source, ...sinks].find(({ type }) => type === 'kafka')
    if (needs !== undefined && kafka === undefined)
      issue('kafka', 'a kafka source or sink needs kafka: { bootstrap.servers: host:port }')
    if (delivery === 'exactly-once' && source.type !== 'kafka')
      issue('delivery', 'exactly-once needs a kafka source: it commits offsets and outputs together')
  })

export type PipelineConfig = z.output<typeof pipelineSchema>
/** As it is written: defaults left out. */
export type PipelineFile = z.input<typeof pipelineSchema>
