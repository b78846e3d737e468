import { z } from 'zod'
import { MAX_DATE } from '../core/iso-times.ts'
import { SEVERITIES } from '../core/scored.ts'

/** The shapes of what is asked: paths, queries and bodies. What a schema checks, its published pattern says. */
const CLOCK = '(?:[01]\\d|2[0-3]):[0-5]\\d'
const DAY = '\\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\\d|3[01])'
const ISO = `${DAY}(?:[T ]${CLOCK}(?::[0-5]\\d(?:\\.\\d{1,9})?)?(?:Z|[+-]${CLOCK})?)?)?`
const TIME = new RegExp(`^(?:-?\\d{1,15}|${ISO})$`)

/** A time as ISO 8601 or epoch milliseconds (what Grafana's `${__from}` gives). */
export const time = z
  .string()
  .max(40)
  .transform((text, context) => {
    const value = !TIME.test(text) ? Number.NaN : /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
    if (Math.abs(value) <= MAX_DATE) return value
    context.addIssue({ code: 'custom', message: 'a time is ISO 8601 or epoch milliseconds' })
    return z.NEVER
  })
  .meta({
    description: 'ISO 8601 or epoch milliseconds',
    type: 'string',
    pattern: TIME.source,
    examples: ['2026-03-01T08:00:00Z'],
  })

/** One value, or several separated by commas. */
const listOf = <Value extends string>(values: readonly [Value, ...Value[]]) =>
  z
    .string()
    .max(100)
    .regex(new RegExp(`^(?:${values.join('|')})(?:,(?:${values.join('|')}))*$`), `of: ${values.join(', ')}`)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(values)))

export const name = z
  .string()
  .min(1)
  .max(128)
  .regex(
    /^(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'letters, digits, ".", "_" and "-", no two dots in a row',
  )

export const pipelinePath = z.object({ pipeline: name })
export const recordPath = z.object({ pipeline: name, id: z.string().min(1).max(1024) })
export const modelPath = z.object({ model: name })
export const jobPath = z.object({ id: z.string().min(1).max(200) })

export const range = { from: time.optional(), to: time.optional() }
export const limit = z.coerce.number().int().min(1).max(1000).default(100)
const cursor = z.string().max(2000).optional()
const text = z.string().max(1024)

const trueOrFalse = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional()
const suppressed = trueOrFalse.describe('only flagged records that a rule suppresses, or all but them')

export const scoresQuery = z.strictObject({
  ...range,
  entity: text.optional(),
  verdict: listOf(['normal', 'anomaly', 'unscored']).optional(),
  severity: listOf(SEVERITIES).optional(),
  suppressed,
  order: z.enum(['time', 'score']).default('time'),
  run_id: text.optional(),
  limit,
  cursor,
})
export const anomaliesQuery = z.strictObject({ ...range, entity: text.optional(), suppressed, limit, cursor })
export const recordQuery = z.strictObject({ run_id: text.optional() })
export const seriesQuery = z.strictObject({
  ...range,
  step: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('bucket width in milliseconds; by default what makes about `buckets` of them'),
  buckets: z.coerce.number().int().min(1).max(2000).default(300),
  entity: text.optional(),
})
export const rangeQuery = z.strictObject(range)
export const limitQuery = z.strictObject({ limit })
export const driftQuery = z.strictObject({
  triggered: trueOrFalse.describe('only looks that found fields to have drifted, or all but them'),
  limit,
})
export const jobsQuery = z.strictObject({
  pipeline: name.optional(),
  state: listOf(['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled']).optional(),
  limit,
})
export const diffQuery = z.strictObject({
  from: z.coerce.number().int().min(1),
  to: z.coerce.number().int().min(1),
})
export const eventsQuery = z.strictObject({ pipeline: name.optional() })

const reason = z.string().min(1).max(1000)
export const promoteBody = z.strictObject({ version: z.number().int().min(1), reason })
export const rollbackBody = z.strictObject({ reason })
export const startBody = z.strictObject({
  pipeline: name,
  reason: reason.default('asked for over the API'),
  priority: z.number().int().min(1).max(1000).optional(),
})
export const scheduleBody = z.strictObject({
  cron: z.string().min(1).max(100),
  timezone: z.string().min(1).max(64).default('UTC'),
})
/** A flat record: an object of numbers, texts, booleans and nulls. */
const record = z.record(z.string().max(256), z.union([z.number(), z.string(), z.boolean(), z.null()]))
const judgement = {
  label: z.enum(['anomaly', 'false_alarm']),
  note: z.string().max(2000).optional(),
}
export const feedbackBody = z.union([
  z.strictObject({ id: z.string().min(1).max(1024), ...judgement }),
  z
    .strictObject({ record, ...judgement })
    .describe('a record with all of its fields: it is found by its content, wherever training data has it'),
])
export const recordsBody = z.array(record).min(1).max(10_000)
