import { z } from 'zod'
import type { PipelineStatus, Precision, ShadowReport } from '../core/ports.ts'
import { count, time } from './answers.ts'

export const precision = z
  .object({
    labelled: count,
    confirmed: count.describe('called anomalies'),
    false_alarms: count,
    precision: z.number().nullable().describe('confirmed ÷ labelled; null where nothing is labelled'),
  })
  .describe('how often people agreed with the alarms that they judged') satisfies z.ZodType<Precision>

const shadowReport = z
  .object({
    version: z.number().int(),
    since: time,
    records: count,
    skipped: count.describe('passed by while the challenger was busy'),
    both: count.describe('flagged by both'),
    neither: count,
    only_champion: count,
    only_challenger: count,
    unscored: count.describe('by either'),
  })
  .describe(
    'what a challenger that waits for approval says of the same records',
  ) satisfies z.ZodType<ShadowReport>

export const pipelineStatus = z.object({
  name: z.string(),
  state: z.enum(['starting', 'waiting', 'running', 'degraded', 'stopped', 'failed', 'unknown']),
  reasons: z.array(z.string()).readonly(),
  records_per_second: z.number(),
  records: count,
  anomalies: count,
  unscored: count,
  since: time,
  lag: z.number().nullable(),
  nominal_rate: z.number().nullable(),
  realised_rate: z.number().nullable(),
  model_version: z.number().int().nullable(),
  model_created_at: z.string().nullable(),
  feedback: precision.exactOptional(),
  shadow: shadowReport.exactOptional(),
}) satisfies z.ZodType<PipelineStatus>
