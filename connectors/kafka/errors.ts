import { messageOf, SurprisalError } from '../../src/core/errors.ts'

/** What kafkajs puts on its errors. */
interface KafkaError extends Error {
  readonly type?: string
  readonly retriable?: boolean
}

const chainOf = (error: unknown): KafkaError[] => {
  const chain: KafkaError[] = []
  for (let e = error; e instanceof Error && !chain.includes(e); e = e.cause) chain.push(e)
  return chain
}

const REFUSALS = /AUTHORIZATION_FAILED|AUTHENTICATION|UNSUPPORTED_SASL|INVALID_TOPIC|POLICY_VIOLATION/
const GROUP_MOVED = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']
const FENCED = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH']

const typed = (error: unknown, types: readonly string[]) =>
  chainOf(error).some(({ type }) => type !== undefined && types.includes(type))

/** The group moved on without this member: what it holds belongs to others now. */
export const isGroupMoved = (error: unknown): boolean => typed(error, GROUP_MOVED)
/** Another process took over this transactional id. */
export const isFenced = (error: unknown): boolean => typed(error, FENCED)
export const isUnknownTopic = (error: unknown): boolean => typed(error, ['UNKNOWN_TOPIC_OR_PARTITION'])
export const isOutOfRange = (error: unknown): boolean => typed(error, ['OFFSET_OUT_OF_RANGE'])
/** The client would try again by itself, were it not below what tries. */
export const isRetriable = (error: unknown): boolean =>
  chainOf(error).some(({ retriable }) => retriable === true)
export const isTooLarge = (error: unknown): boolean =>
  typed(error, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** Says in the words of the error table what Kafka's client met: refused for good, or unreachable for now. */
export function kafkaError(error: unknown, doing: string, brokers: string): SurprisalError {
  if (error instanceof SurprisalError) return error
  const chain = chainOf(error)
  const refused = chain.some(
    ({ name, type, message }) =>
      name === 'KafkaJSSASLAuthenticationError' || REFUSALS.test(type ?? '') || /certificate/i.test(message),
  )
  const detail = messageOf(chain.at(-1) ?? error)
  if (refused) {
    const advice = 'check security.protocol, the credentials, the certificates and the ACLs'
    return new SurprisalError(
      'SERVICE_REFUSED',
      `Kafka at ${brokers} refused ${doing}: ${detail}; ${advice}`,
      {
        cause: error,
      },
    )
  }
  return new SurprisalError('SERVICE_UNREACHABLE', `Kafka at ${brokers} failed ${doing}: ${detail}`, {
    cause: error,
  })
}
