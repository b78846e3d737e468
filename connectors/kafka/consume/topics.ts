import type { Kafka } from 'kafkajs'
import { SurprisalError } from '../../../src/core/errors.ts'
import { isUnknownTopic, kafkaError } from '../errors.ts'
import type { KafkaSourceOptions } from '../options.ts'

const OUTPUT = /\.(scored|anomalies|dlq)$/

/**
 * The topics to subscribe to now: those named, or all that match the pattern. Kafka's own `__…` topics and the outputs
 * of a matching topic are left out: a pipeline must not score what it wrote.
 */
export async function matchingTopics(
  kafka: Kafka,
  { topics, pattern }: Pick<KafkaSourceOptions, 'topics' | 'pattern'>,
): Promise<readonly string[]> {
  if (topics !== undefined) return topics
  const admin = kafka.admin()
  await admin.connect()
  try {
    const whole = new RegExp(`^(?:${pattern})$`)
    const matching = (await admin.listTopics()).filter(
      (topic) => !topic.startsWith('__') && whole.test(topic),
    )
    const inputs = new Set(matching)
    const found = matching.filter((topic) => !OUTPUT.test(topic) || !inputs.has(topic.replace(OUTPUT, '')))
    if (found.length === 0)
      throw new SurprisalError('SERVICE_UNREACHABLE', `no topic matches source.pattern "${pattern}" yet`)
    return found.sort()
  } finally {
    await admin.disconnect()
  }
}

/** Looks again after each `pause` until topics match that are not among the `known` ones; none once it is `over`. */
export async function furtherTopics(
  kafka: Kafka,
  options: Pick<KafkaSourceOptions, 'topics' | 'pattern'>,
  known: readonly string[],
  pause: () => Promise<void>,
  over: () => boolean,
): Promise<readonly string[]> {
  for (;;) {
    await pause()
    if (over()) return []
    const matching = await matchingTopics(kafka, options).catch(() => [])
    const further = matching.filter((topic) => !known.includes(topic))
    if (further.length > 0) return further
  }
}

/** kafkaError, and for a topic that is not there what to do. */
export function sourceError(
  error: unknown,
  doing: string,
  brokers: string,
  { topics, pattern }: Pick<KafkaSourceOptions, 'topics' | 'pattern'>,
): SurprisalError {
  if (!isUnknownTopic(error)) return kafkaError(error, doing, brokers)
  return new SurprisalError(
    'SERVICE_UNREACHABLE',
    `a topic of ${topics?.join(', ') ?? pattern} does not exist at ${brokers} yet: create it, or correct source.topics`,
    { cause: error },
  )
}
