import { z } from 'zod'
import { queue, registry, sink, source, store } from './connectors.ts'
import {
  alertOptions,
  apiOptions,
  featureOptions,
  logOptions,
  modelOptions,
  retrainOptions,
} from './parts.ts'

/** The whole of a pipeline.yaml: a new section is one line here. */
export const pipelineSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'lower-case letters, digits, dots, dashes and underscores, at most 64',
    )
    .describe('The pipeline’s name, and its model’s.'),
  source: source.describe('Where records come from.'),
  features: featureOptions.prefault({}).describe('What the columns are.'),
  model: modelOptions.prefault({}).describe('How normality is learned.'),
  alerts: alertOptions.prefault({}).describe('When a record is flagged.'),
  sinks: z.array(sink).default([]).describe('Where scored records go; several at once.'),
  store: store.optional().describe('Where scores are kept for queries and the page.'),
  retrain: retrainOptions.prefault({}).describe('When a new model is made.'),
  queue: queue.default({ type: 'memory' }).describe('Where retraining jobs wait.'),
  registry: registry.prefault({ type: 'fs' }).describe('Where model versions are kept.'),
  api: apiOptions.optional().describe('The HTTP API and the page; off without this section.'),
  log: logOptions.prefault({}).describe('What goes to standard error.'),
})

export type PipelineConfig = z.output<typeof pipelineSchema>
/** As it is written: defaults left out. */
export type PipelineFile = z.input<typeof pipelineSchema>
