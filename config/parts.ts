import { Cron } from 'croner'
import { z } from 'zod'
import { TERM } from '../src/features/windows/window-terms.ts'
import { suppressionRule } from './suppress.ts'
import { isTimeZone } from './time-zone.ts'

const column = z.string().min(1)
const term = z
  .string()
  .regex(TERM, 'lag K, difference K, mean|std|min|max N (records, or a time such as 1h), season 1d or 1d/96')
const zone = z.string().refine(isTimeZone, 'an IANA time zone such as Europe/Berlin')

/** `features.windows:` what the model looks back on in the stream. */
const windowOptions = z.strictObject({
  fields: z
    .record(column, z.array(term).min(1))
    .default({})
    .describe(
      'Per field, what to derive from the entity’s earlier records: lag 1, difference 1, mean 12, std 1h, season 1d/96.',
    ),
  since_previous: z.boolean().default(false).describe('The time since the entity’s previous record.'),
  clock: z
    .boolean()
    .default(true)
    .describe('How far a record’s time is from the stream’s own clock, where records come in order.'),
  entities: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(10_000)
    .describe('Entities remembered in each partition; the one unseen for longest is forgotten.'),
  late: z
    .int()
    .min(0)
    .max(10_000)
    .default(16)
    .describe('Records kept beyond the longest look-back, so that late ones find their place.'),
  replay: z
    .int()
    .min(0)
    .default(20_000)
    .describe('Records of each Kafka partition that are read again after a restart, to know the past.'),
})

/** `features:` what the columns are, where the rules should not decide. */
export const featureOptions = z.strictObject({
  ignore: z.array(column).default([]).describe('Columns that take no part.'),
  context: z
    .array(column)
    .default([])
    .describe('Columns that the density is conditioned on and that are not modelled themselves.'),
  time: column.optional().describe('The column of the event time. Default: the first column of times.'),
  entity: column.optional().describe('The column that names who a record is about.'),
  columns: z
    .record(
      column,
      z.enum(['numeric', 'integer', 'low-cardinality', 'boolean', 'category', 'timestamp', 'identifier']),
    )
    .default({})
    .describe('Kinds of columns, instead of what the rules find.'),
  windows: windowOptions.prefault({}).describe('What the model looks back on in the stream.'),
  redact: z.array(column).default([]).describe('Fields whose values are masked in every output.'),
})

/** `model:` how normality is learned. */
export const modelOptions = z.strictObject({
  flow: z.enum(['real-nvp', 'glow']).default('real-nvp').describe('The flow architecture.'),
  seed: z.int().min(0).default(0).describe('Same data, options and seed: same model.'),
  backend: z
    .enum(['auto', 'kernel', 'cpu', 'node', 'cuda', 'webgpu'])
    .default('auto')
    .describe('What trains; auto chooses and says why.'),
  contamination: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe('Share of the training data that is anomalous.'),
  max_rows: z.int().min(20).default(250_000).describe('Records learned from at most, a sample of more.'),
  effort: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Share of the training length: less is quicker and coarser.'),
  file: z.string().min(1).optional().describe('A model file to score with, instead of the registry.'),
})

/** `alerts:` when a record is flagged, and how often people hear of it. */
export const alertOptions = z
  .strictObject({
    rate: z
      .number()
      .positive()
      .max(0.5)
      .optional()
      .describe('Nominal false alarms per normal record. Default: the model’s, 0.001.'),
    budget: z
      .string()
      .regex(/^\s*\d+(\.\d+)?\s*\/\s*(hour|day|week)\s*$/, 'alarms per period, such as 20/day')
      .optional()
      .describe('Instead of a rate: alarms per hour, day or week.'),
    explain_per_second: z
      .number()
      .min(0)
      .default(200)
      .describe('Flagged records that are attributed to their fields, a second, in an alarm storm.'),
    watch: z
      .strictObject({
        silent: z.boolean().default(true).describe('An entity without a record for improbably long.'),
        stuck: z.boolean().default(true).describe('A field that repeats its value improbably often.'),
        regular: z.boolean().default(true).describe('An entity whose records are improbably typical.'),
        rate: z.number().positive().max(0.01).default(1e-6).describe('False alarms per record of each.'),
        entities: z
          .int()
          .min(1)
          .max(10_000_000)
          .default(10_000)
          .describe('Entities remembered; the one unseen for longest is forgotten.'),
      })
      .prefault({})
      .describe('What each entity is watched for, by the habits that the model has learned.'),
    cooldown_ms: z
      .int()
      .min(0)
      .default(300_000)
      .describe('Quiet time after which an episode of anomalies is over.'),
    storm_limit: z
      .int()
      .min(1)
      .default(20)
      .describe('Alerts a minute at most; beyond it one alert says how many there were.'),
    suppress: z
      .array(suppressionRule)
      .refine(
        (rules) => new Set(rules.map(({ name }) => name)).size === rules.length,
        'two rules have one name',
      )
      .default([])
      .describe('Flagged records that raise no alert and are marked with the rule’s name.'),
  })
  .refine(({ rate, budget }) => rate === undefined || budget === undefined, {
    message: 'give either rate or budget',
    path: ['budget'],
  })

const exclusion = z
  .strictObject({
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
    why: z.string().min(1).optional(),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), {
    message: 'must be later than from',
    path: ['to'],
  })
const recurringExclusion = z.strictObject({
  cron: z
    .string()
    .min(1)
    .refine(isCron, 'a cron expression such as 0 2 * * 0')
    .describe('When it begins, in retrain.timezone.'),
  duration: z.string().regex(/^\d+(\.\d+)?(m|h|d|w)$/, 'a duration such as 30m or 4h'),
  why: z.string().min(1).optional(),
})

/** `retrain:` when a new model is made, and whether it goes live by itself. */
export const retrainOptions = z.strictObject({
  schedule: z.string().min(1).optional().describe('A cron expression, such as 0 3 * * 1.'),
  timezone: zone.default('UTC').describe('The time zone of the schedule.'),
  window: z
    .string()
    .regex(/^\d+(\.\d+)?(m|h|d|w)$/, 'a duration such as 12h, 30d or 8w')
    .default('30d')
    .describe('How far back the training data reaches.'),
  min_records: z.int().min(20).default(10_000).describe('Fewer records than this are not learned from.'),
  max_age: z
    .string()
    .regex(/^\d+(\.\d+)?(m|h|d|w)$/, 'a duration such as 12h, 30d or 8w')
    .optional()
    .describe('A champion older than this is retrained.'),
  drift: z
    .enum(['off', 'warn', 'recalibrate', 'retrain'])
    .default('warn')
    .describe('What detected drift does. recalibrate: new p-values from recent records, without a fit.'),
  drift_debounce: z
    .string()
    .regex(/^\d+(\.\d+)?(m|h|d|w)$/, 'a duration such as 10m or 12h')
    .default('10m')
    .describe('How long drift must be quiet before its retraining starts; further triggers put it off.'),
  promote: z
    .enum(['auto', 'manual'])
    .default('auto')
    .describe(
      'auto: a better model goes live; manual: it scores in the shadow of the champion until somebody promotes it.',
    ),
  warm_start: z
    .enum(['auto', 'never'])
    .default('auto')
    .describe(
      'auto: a fit goes on from the champion’s flows where they are of the same fields; never: afresh.',
    ),
  exclude_anomalies: z
    .boolean()
    .default(true)
    .describe('Leaves out labelled anomalies and records far below the alert rate.'),
  exclude: z
    .array(z.union([exclusion, recurringExclusion]))
    .default([])
    .describe('Times whose records are not learned from: deployments, maintenance.'),
  checkpoints: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of the checkpoints of running fits, for all trainers. Default: in the registry’s folder.',
    ),
})

/** `api:` the HTTP API and the page. */
export const apiOptions = z.strictObject({
  listen: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, 'host:port, such as 127.0.0.1:8080')
    .default('127.0.0.1:8080')
    .describe('Address and port; 0 picks a free port.'),
  tokens_file: z
    .string()
    .min(1)
    .optional()
    .describe('File of API tokens; needed where listen is not a loopback address.'),
  cors: z.array(z.string().min(1)).default([]).describe('Origins that browsers may call from.'),
})

/** `log:` what goes to standard error. */
export const logOptions = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

function isCron(pattern: string): boolean {
  try {
    new Cron(pattern, { paused: true })
    return true
  } catch {
    return false
  }
}
