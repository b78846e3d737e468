import { z } from 'zod'

/** `errors:` of a pipeline file. */
export const errorOptions = z.strictObject({
  tolerance: z.enum(['none', 'all']).default('all').describe('none stops at the first bad record.'),
  max_share: z.number().min(0).max(1).default(0.5).describe('Stops when more of a window than this is bad.'),
  window: z.int().positive().default(10_000).describe('Records that max_share is taken over.'),
})

/** `flow_control:` of a pipeline file. */
export const flowControlOptions = z.strictObject({
  in_flight: z.int().positive().default(4).describe('Batches that one process works on at once.'),
  drain_ms: z.int().nonnegative().default(20_000).describe('How long SIGTERM waits for batches in flight.'),
  roll_ms: z.int().positive().default(60_000).describe('How often sinks that roll are made durable.'),
  roll_batches: z.int().positive().default(512),
})

export const pipelineOptions = z.strictObject({
  errors: errorOptions.prefault({}),
  flow_control: flowControlOptions.prefault({}),
})
export type PipelineOptions = z.output<typeof pipelineOptions>
