import { z } from 'zod'
import { closest } from '../../src/core/suggest.ts'

const milliseconds = z.int().positive()
const bytes = z.int().positive()

/** librdkafka's names, and those of its settings that mean something here. */
const clientSettings = {
  'bootstrap.servers': z.string().min(1).describe('Comma-separated host:port list.'),
  'client.id': z.string().min(1).default('surprisal'),
  'security.protocol': z
    .string()
    .toLowerCase()
    .pipe(z.enum(['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl']))
    .default('plaintext'),
  'ssl.ca.location': z.string().optional().describe('PEM file with the certificate authorities.'),
  'ssl.certificate.location': z.string().optional().describe('PEM file with the client certificate.'),
  'ssl.key.location': z.string().optional().describe('PEM file with the client key.'),
  'ssl.key.password': z.string().optional(),
  'ssl.endpoint.identification.algorithm': z.enum(['https', 'none']).default('https'),
  'enable.ssl.certificate.verification': z.boolean().default(true),
  'sasl.mechanism': z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
  'sasl.username': z.string().optional(),
  'sasl.password': z.string().optional(),
  'socket.timeout.ms': milliseconds.default(30_000),
  'socket.connection.setup.timeout.ms': milliseconds.default(10_000),
  'metadata.max.age.ms': milliseconds.default(60_000),
  'retry.backoff.ms': milliseconds.default(100),
  'retry.backoff.max.ms': milliseconds.default(5_000),
}

const consumerSettings = {
  'group.id': z.string().min(1).optional().describe('Default: surprisal-<pipeline>.'),
  'auto.offset.reset': z.enum(['earliest', 'latest']).default('latest'),
  'session.timeout.ms': milliseconds.default(30_000),
  'heartbeat.interval.ms': milliseconds.default(3_000),
  'max.poll.interval.ms': milliseconds.default(60_000).describe('How long a rebalance waits for a member.'),
  'fetch.wait.max.ms': milliseconds.default(100),
  'fetch.min.bytes': bytes.default(1),
  'fetch.max.bytes': bytes.default(10_485_760),
  'max.partition.fetch.bytes': bytes.default(1_048_576),
  'isolation.level': z.enum(['read_uncommitted', 'read_committed']).default('read_committed'),
  'client.rack': z.string().optional(),
  'queued.min.messages': z.int().positive().default(50_000).describe('Records held per partition.'),
  'queued.max.messages.kbytes': z.int().positive().default(65_536).describe('Bytes held in all, kilobytes.'),
}

const producerSettings = {
  acks: z
    .union([z.literal('all'), z.literal(-1), z.literal(1)])
    .default('all')
    .describe('0 would lose records.'),
  'compression.type': z
    .enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .default('none')
    .describe('Of outputs. zstd needs Node 22.15 or newer; all are read.'),
  'transaction.timeout.ms': milliseconds.default(60_000),
}

const KAFKA_NAMES = [...Object.keys(clientSettings), ...Object.keys(consumerSettings)].concat(
  Object.keys(producerSettings),
)

/** The `kafka:` section: librdkafka's configuration names. A name that is not supported is an error. */
export const kafkaOptions = z
  .strictObject(
    { ...clientSettings, ...consumerSettings, ...producerSettings },
    {
      error: (issue) => {
        if (issue.code !== 'unrecognized_keys') return undefined
        return issue.keys
          .map((key) => {
            const guess = closest(key, KAFKA_NAMES)
            return `"${key}" is not a supported Kafka setting${guess ? `; did you mean "${guess}"?` : ''}`
          })
          .join('; ')
      },
    },
  )
  .superRefine((options, context) => {
    const sasl = options['security.protocol'].startsWith('sasl')
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (sasl && options['sasl.mechanism'] === undefined)
      issue('sasl.mechanism', `security.protocol ${options['security.protocol']} needs sasl.mechanism`)
    if (sasl && options['sasl.username'] === undefined) issue('sasl.username', 'SASL needs sasl.username')
    if (sasl && options['sasl.password'] === undefined)
      issue('sasl.password', 'SASL needs sasl.password, or sasl.password_file with a path')
    if (!sasl && options['sasl.mechanism'] !== undefined)
      issue(
        'security.protocol',
        'sasl.mechanism is set: security.protocol must be sasl_plaintext or sasl_ssl',
      )
    if ((options['ssl.certificate.location'] === undefined) !== (options['ssl.key.location'] === undefined))
      issue(
        'ssl.key.location',
        'a client certificate needs both ssl.certificate.location and ssl.key.location',
      )
    if (options['heartbeat.interval.ms'] * 3 > options['session.timeout.ms'])
      issue('heartbeat.interval.ms', 'heartbeat.interval.ms must be at most a third of session.timeout.ms')
  })
export type KafkaOptions = z.output<typeof kafkaOptions>

export const schemaRegistryOptions = z.strictObject({
  url: z.url(),
  username: z.string().optional(),
  password: z.string().optional(),
  timeout_ms: milliseconds.default(10_000),
})
export type SchemaRegistryOptions = z.output<typeof schemaRegistryOptions>

/** How a message becomes a record. Fields are paths into its value: `payload.amount`, `items.0.price`. */
export const kafkaRecordOptions = z.strictObject({
  format: z
    .enum(['json', 'avro', 'json-schema', 'array'])
    .default('json')
    .describe('avro and json-schema: Confluent’s wire format. array: a JSON array of numbers.'),
  fields: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Default: every leaf; for array the columns’ names.'),
  event_time: z
    .strictObject({
      field: z.string().min(1).optional().describe('Default: the message’s timestamp.'),
      unit: z
        .enum(['s', 'ms', 'us', 'ns'])
        .default('ms')
        .describe('Of numbers; text is ISO 8601, or has the month as a word.'),
    })
    .prefault({}),
  entity: z
    .union([z.strictObject({ field: z.string().min(1) }), z.literal('key')])
    .optional()
    .describe('Names who a record is about: the message’s key, or a field.'),
  max_record_bytes: bytes.default(4_194_304),
})
export type KafkaRecordOptions = z.output<typeof kafkaRecordOptions>

/** `source: { type: kafka, … }` */
export const kafkaSourceOptions = z
  .strictObject({
    type: z.literal('kafka'),
    topics: z.array(z.string().min(1)).min(1).optional(),
    pattern: z.string().min(1).optional().describe('A regular expression of topic names.'),
    start: z
      .union([z.enum(['earliest', 'latest']), z.iso.datetime({ offset: true })])
      .optional()
      .describe('Where a new group begins. Default: auto.offset.reset.'),
    ...kafkaRecordOptions.shape,
    schema_registry: schemaRegistryOptions.optional(),
    max_slice_records: z.int().positive().default(8192).describe('Records of one batch at most.'),
    latency_target_ms: milliseconds
      .default(50)
      .describe(
        'Slices are sized so that one takes about this long; fetches that bring all there is are half of it apart.',
      ),
  })
  .superRefine((options, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if ((options.topics === undefined) === (options.pattern === undefined))
      issue('topics', 'give either topics or pattern')
    if (options.pattern !== undefined && !isPattern(options.pattern))
      issue('pattern', `"${options.pattern}" is not a regular expression`)
    if (['avro', 'json-schema'].includes(options.format) && options.schema_registry === undefined)
      issue('schema_registry', `format ${options.format} needs schema_registry.url`)
  })
export type KafkaSourceOptions = z.output<typeof kafkaSourceOptions>

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}

/** `sinks: [{ type: kafka, … }]`. Topics default to `<in>.scored` and `<in>.anomalies`. */
export const kafkaSinkOptions = z.strictObject({
  type: z.literal('kafka'),
  scored: z
    .union([z.string().min(1), z.literal(false)])
    .optional()
    .describe('false writes no scored records.'),
  anomalies: z.union([z.string().min(1), z.literal(false)]).optional(),
  encoding: z.enum(['json', 'packed']).default('json').describe('packed: one Arrow IPC stream per batch.'),
})
export type KafkaSinkOptions = z.output<typeof kafkaSinkOptions>

/** `dead_letters:` where records go that cannot be decoded. */
export const deadLetterOptions = z.strictObject({
  topic: z.string().min(1).optional().describe('Default: <in>.dlq.'),
})
