import { describe, expect, it } from 'vitest'
import { brokersOf } from '../../../connectors/kafka/client.ts'
import { kafkaOptions, kafkaSourceOptions } from '../../../connectors/kafka/options.ts'

const faults = (value: object) => {
  const parsed = kafkaOptions.safeParse({ 'bootstrap.servers': 'a:9092', ...value })
  return parsed.success ? [] : parsed.error.issues.map(({ message }) => message)
}

describe('kafkaOptions', () => {
  it('takes librdkafka’s names', () => {
    const options = kafkaOptions.parse({
      'bootstrap.servers': 'a:9092, b:9092',
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.username': 'u',
      'sasl.password': 'p',
    })
    expect(options['security.protocol']).toBe('sasl_ssl')
    expect(brokersOf(options)).toEqual(['a:9092', 'b:9092'])
  })

  it('suggests the name that was meant', () => {
    expect(faults({ 'session.timeout': 5000 })[0]).toMatch(/did you mean "session.timeout.ms"/)
    expect(faults({ 'enable.auto.commit': true })[0]).toMatch(/not a supported Kafka setting/)
  })

  it.each([
    [{ 'security.protocol': 'sasl_plaintext' }, /needs sasl.mechanism/],
    [{ 'sasl.mechanism': 'PLAIN' }, /must be sasl_plaintext or sasl_ssl/],
    [{ 'ssl.certificate.location': 'c.pem' }, /needs both/],
    [{ 'heartbeat.interval.ms': 20_000 }, /at most a third/],
    [{ acks: 0 }, /Invalid input/],
  ])('refuses %j', (value, message) => {
    expect(faults(value).join('\n')).toMatch(message)
  })
})

describe('kafkaSourceOptions', () => {
  it.each([
    [{}, /either topics or pattern/],
    [{ topics: ['a'], pattern: 'b' }, /either topics or pattern/],
    [{ pattern: '(' }, /not a regular expression/],
    [{ topics: ['a'], format: 'avro' }, /needs schema_registry.url/],
    [{ topics: ['a'], start: 'yesterday' }, /Invalid/],
  ])('refuses %j', (value, message) => {
    const parsed = kafkaSourceOptions.safeParse({ type: 'kafka', ...value })
    expect(parsed.success).toBe(false)
    expect(parsed.error?.issues.map((issue) => issue.message).join('\n')).toMatch(message)
  })
})
