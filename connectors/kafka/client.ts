import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { KafkaConfig, LogEntry, RetryOptions, SASLOptions } from 'kafkajs'
import { SurprisalError } from '../../src/core/errors.ts'
import type { Logger } from '../../src/core/telemetry.ts'
import type { KafkaOptions } from './options.ts'
import { compressionFault } from './wire/codecs.ts'
import { Connections, ENDED } from './wire/connections.ts'
import { Kafka, logLevel } from './wire/kafkajs.ts'

/** Whose connections end with it, after what was made of it has disconnected. */
export class KafkaClient extends Kafka implements Disposable {
  private readonly config: KafkaConfig
  private readonly connections: Connections

  constructor(config: KafkaConfig) {
    const connections = new Connections()
    super({ ...config, socketFactory: connections.open })
    this.config = config
    this.connections = connections
  }

  /** A client of the same settings, with connections of its own. */
  another(): KafkaClient {
    return new KafkaClient(this.config)
  }

  [Symbol.dispose](): void {
    this.connections[Symbol.dispose]()
  }
}

/** A kafkajs client from librdkafka's settings. Certificates are read here, once. */
export function kafkaClient(options: KafkaOptions, logger: Logger): KafkaClient {
  const fault = compressionFault(options['compression.type'])
  if (fault !== undefined) throw new SurprisalError('CONFIG_INVALID', fault)
  const protocol = options['security.protocol']
  return new KafkaClient({
    clientId: options['client.id'],
    brokers: brokersOf(options),
    connectionTimeout: options['socket.connection.setup.timeout.ms'],
    authenticationTimeout: options['socket.connection.setup.timeout.ms'],
    requestTimeout: options['socket.timeout.ms'],
    enforceRequestTimeout: true,
    retry: retryOf(options),
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => forward(entry, logger),
    ...(protocol.endsWith('ssl') && { ssl: tlsOf(options) }),
    ...(protocol.startsWith('sasl') && { sasl: saslOf(options) }),
  })
}

export function brokersOf(options: KafkaOptions): string[] {
  return options['bootstrap.servers']
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '')
}

/** Few and short: what takes longer is a matter for the pipeline, which logs it and tries again. */
export function retryOf(options: KafkaOptions): RetryOptions {
  return {
    initialRetryTime: options['retry.backoff.ms'],
    maxRetryTime: options['retry.backoff.max.ms'],
    factor: 0.2,
    multiplier: 2,
    retries: 4,
  }
}

function tlsOf(options: KafkaOptions): ConnectionOptions {
  const pem = (key: 'ssl.ca.location' | 'ssl.certificate.location' | 'ssl.key.location') => {
    const path = options[key]
    return path === undefined ? undefined : readPem(key, path)
  }
  return {
    ca: pem('ssl.ca.location'),
    cert: pem('ssl.certificate.location'),
    key: pem('ssl.key.location'),
    passphrase: options['ssl.key.password'],
    rejectUnauthorized: options['enable.ssl.certificate.verification'],
    ...(options['ssl.endpoint.identification.algorithm'] === 'none' && {
      checkServerIdentity: () => undefined,
    }),
  }
}

function saslOf(options: KafkaOptions): SASLOptions {
  const credentials = { username: options['sasl.username']!, password: options['sasl.password']! }
  switch (options['sasl.mechanism']!) {
    case 'PLAIN':
      return { mechanism: 'plain', ...credentials }
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', ...credentials }
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', ...credentials }
  }
}

function readPem(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SurprisalError('CONFIG_INVALID', `kafka.${key}: cannot read "${path}"`, { cause })
  }
}

function forward({ namespace, level, log }: LogEntry, logger: Logger): void {
  const { message, timestamp: _time, ...fields } = log
  const text = `kafka client: ${message}`
  // The client calls errors what it goes on to retry; what it gives up on is thrown, and logged by the pipeline.
  if (level <= logLevel.WARN && !message.includes(ENDED)) logger.warn({ namespace, ...fields }, text)
  else logger.debug({ namespace, ...fields }, text)
}
