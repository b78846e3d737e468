import { z } from 'zod'
import type {
  AliasChange,
  DriftReport,
  Episode,
  LabelledRecord,
  ModelVersion,
  RecordDensities,
  SeriesPoint,
} from '../core/ports.ts'
import { type ScoredRecord, SEVERITIES } from '../core/scored.ts'

/** The shapes of answers, as the OpenAPI document shows them; the types keep them equal to the ports. */
export const time = z.iso.datetime()
export const count = z.number().int().min(0)
const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
const severity = z.enum(SEVERITIES)
const free = z.record(z.string(), z.unknown())
/** JSON has no infinity: a number that is none comes as null. */
const number = z.number().nullable()

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    request_id: z.string(),
  })
  .describe('RFC 9457 problem details')

const fieldSurprise = z.object({
  field: z.string(),
  surprise_nats: z.number(),
  value: cell,
  expected: cell,
  normal_low: number,
  normal_high: number,
})

export const scoredRecordAnswer = z.object({
  id: z.string(),
  pipeline: z.string(),
  model_version: z.number().int(),
  event_time: z.string().nullable(),
  scored_at: time,
  entity: z.string().nullable(),
  log_prob: z.number().nullable(),
  score: z.number().nullable(),
  p_value: z.number().nullable(),
  p_method: z.enum(['rank', 'tail']).nullable(),
  is_anomaly: z.boolean(),
  severity: severity.nullable(),
  threshold: z.number(),
  verdict: z.enum(['normal', 'anomaly', 'unscored']),
  reasons: z.array(z.string()).readonly(),
  attribution: z.array(fieldSurprise).readonly(),
  suppressed: z.string().nullable().describe('the rule that keeps it from raising an alert'),
  source: z.object({
    topic: z.string().exactOptional(),
    partition: z.number().int().exactOptional(),
    offset: z.number().int(),
  }),
  run_id: z.string().exactOptional(),
}) satisfies z.ZodType<ScoredRecord>

export const recordDensities = z.object({
  model_version: z.number().int(),
  log_prob: z.number().describe('of the record as its stored score tells it; nats in raw units'),
  assumed: z
    .array(z.string())
    .readonly()
    .describe('fields whose values a stored score does not hold: taken as missing'),
  fields: z
    .array(
      fieldSurprise.extend({
        observed: number.describe('where the record is on the curve'),
        curve: z
          .object({
            unit: z.string().nullable().describe('what x counts where that is not the unit of the value'),
            x: z.array(z.number()).readonly(),
            log_density: z.array(z.number()).readonly().describe('log p(x_j | x_−j), nats per unit of x'),
          })
          .nullable(),
        levels: z
          .array(z.object({ value: cell, probability: z.number(), observed: z.boolean() }))
          .readonly()
          .describe('values with a probability of their own, most probable first'),
      }),
    )
    .readonly(),
}) satisfies z.ZodType<RecordDensities>

export const label = z.object({
  pipeline: z.string(),
  id: z.string(),
  label: z.enum(['anomaly', 'false_alarm']),
  who: z.string(),
  at: time,
  note: z.string().exactOptional(),
}) satisfies z.ZodType<LabelledRecord>

export const seriesPoint = z.object({
  time: z.number().describe('start of the bucket, epoch milliseconds'),
  records: count,
  anomalies: count,
  unscored: count,
  alarm_rate: z.number().nullable().describe('anomalies ÷ scored records'),
  score_p50: z.number().nullable(),
  score_p99: z.number().nullable(),
  score_max: z.number().nullable(),
}) satisfies z.ZodType<SeriesPoint>

export const episode = z.object({
  kind: z.enum(['silent', 'stuck', 'regular']).exactOptional(),
  id: z.string(),
  pipeline: z.string(),
  entity: z.string().nullable(),
  started_at: time,
  ended_at: time.nullable(),
  anomalies: count,
  max_score: z.number(),
  severity,
  fields: z.array(z.string()).readonly(),
}) satisfies z.ZodType<Episode>

export const driftReport = z.object({
  from: time,
  to: time,
  records: count,
  fields: z
    .array(z.object({ field: z.string(), effect: z.number(), p: z.number(), drifted: z.boolean() }))
    .readonly(),
  triggered: z.array(z.string()).readonly(),
}) satisfies z.ZodType<DriftReport>

export const calibrationPoint = z.object({
  nominal: z.number().describe('a false-alarm rate'),
  realised: z.number().describe('share of the scored records whose p-value is at most that'),
})

export const modelVersion = z.object({
  name: z.string(),
  version: z.number().int(),
  created_at: z.string(),
  sha256: z.string(),
  bytes: count,
  aliases: z.array(z.enum(['champion', 'challenger'])).readonly(),
  summary: free,
}) satisfies z.ZodType<ModelVersion>

export const aliasChange = z.object({
  at: z.string(),
  alias: z.enum(['champion', 'challenger']),
  version: z.number().int().nullable(),
  previous: z.number().int().nullable(),
  who: z.string(),
  why: z.string(),
}) satisfies z.ZodType<AliasChange>

export const modelDiff = z.object({
  from: z.number().int(),
  to: z.number().int(),
  changes: z
    .array(z.object({ path: z.string(), from: z.unknown(), to: z.unknown() }))
    .readonly()
    .describe('paths of the summary whose values differ'),
})

export const retrainJob = z.object({
  id: z.string(),
  request: z.object({
    pipeline: z.string(),
    trigger: z.enum(['schedule', 'drift', 'staleness', 'api', 'cli', 'cold-start']),
    reason: z.string(),
    who: z.string(),
    priority: z.number().exactOptional(),
    debounceMs: z.number().exactOptional(),
  }),
  state: z.enum(['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled']),
  attempts: count,
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  progress: z.object({
    stage: z.enum(['queued', 'collect', 'fit', 'calibrate', 'evaluate', 'publish', 'done']),
    fraction: z.number(),
    step: z.number().exactOptional(),
    steps: z.number().exactOptional(),
    train_nll: number.exactOptional(),
    held_out_nll: number.exactOptional(),
    seconds_left: number.exactOptional(),
    message: z.string().exactOptional(),
    curve: z
      .array(z.object({ step: z.number(), train: number, held_out: number }))
      .readonly()
      .exactOptional(),
  }),
  result: free.nullable(),
  error: z.string().nullable(),
  log: z.array(z.string()).readonly(),
})
export const schedule = z.object({
  pipeline: z.string(),
  cron: z.string(),
  timezone: z.string(),
  next: z.string(),
})

export const listOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item).readonly() })
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item).readonly(),
    cursor: z.string().nullable().describe('pass it back for the next page; null at the end'),
  })
