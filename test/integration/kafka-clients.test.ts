import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kafkaOptions, kafkaSourceOptions } from '../../connectors/kafka/options.ts'
import { KafkaSource } from '../../connectors/kafka/source.ts'
import { decodeJson } from '../../connectors/kafka/values/json.ts'
import { RecordDecoder } from '../../connectors/kafka/values/record-decoder.ts'
import { SILENT } from '../../src/core/telemetry.ts'
import { runKafkaTool, startKafka } from '../services/kafka.ts'
import { shared } from '../services/shared.ts'
import { newTopic } from '../services/topics.ts'

async function read(kafka: object, topics: object, records: number): Promise<unknown[]> {
  const options = kafkaSourceOptions.parse({ type: 'kafka', start: 'earliest', fields: ['i'], ...topics })
  const settings = kafkaOptions.parse(kafka)
  const parts = { kafka: settings, groupId: `g-${Math.random()}`, options, logger: SILENT }
  await using source = new KafkaSource({ ...parts, decoder: new RecordDecoder(options, decodeJson) })
  const stop = new AbortController()
  await source.open(stop.signal)
  const values: unknown[] = []
  for await (const { batch } of source.deliveries(stop.signal)) {
    const column = batch.columns.get('i')
    if (column?.kind === 'number') values.push(...column.values)
    if (values.length >= records) stop.abort()
  }
  return values
}

describe('messages of Apache’s own producer', () => {
  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('are read when compressed by %s', async (codec) => {
    const brokers = await shared('kafka')
    const topic = await newTopic(brokers, 1, codec)
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-codec-'))
    const payload = join(folder, 'payload.txt')
    writeFileSync(payload, `${JSON.stringify({ i: 7, pad: 'x'.repeat(500) })}\n`)
    await runKafkaTool('org.apache.kafka.tools.ProducerPerformance', [
      ...['--topic', topic, '--num-records', '200', '--throughput', '-1', '--payload-file', payload],
      ...['--producer-props', `bootstrap.servers=${brokers}`, `compression.type=${codec}`],
    ])
    const values = await read({ 'bootstrap.servers': brokers }, { topics: [topic] }, 200)
    expect(values).toEqual(new Array(200).fill(7))
  })
})

describe('a broker that asks who is there', () => {
  it('is met with TLS and SCRAM, and a wrong password is said at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'surprisal-tls-'))
    const at = (name: string) => join(folder, name)
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('key.pem'), '-out', at('cert.pem')],
      ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    )
    openssl(
      ...['pkcs12', '-export', '-in', at('cert.pem'), '-inkey', at('key.pem'), '-out', at('store.p12')],
      ...['-passout', 'pass:changeit'],
    )
    const login = 'org.apache.kafka.common.security.scram.ScramLoginModule'
    const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'
    await using broker = await startKafka({
      listeners: 'SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}',
      'advertised.listeners': 'SASL_SSL://127.0.0.1:{port}',
      'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'SASL_SSL',
      'ssl.keystore.location': at('store.p12'),
      'ssl.keystore.password': 'changeit',
      'ssl.keystore.type': 'PKCS12',
      'ssl.truststore.location': at('cert.pem'),
      'ssl.truststore.type': 'PEM',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.sasl_ssl.plain.sasl.jaas.config': `${plain} required username="admin" password="secret" user_admin="secret";`,
      'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${login} required;`,
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${login} required;`,
    })
    const client = (mechanism: string, password: string) => ({
      'bootstrap.servers': broker.brokers,
      'security.protocol': 'sasl_ssl',
      'ssl.ca.location': at('cert.pem'),
      'sasl.mechanism': mechanism,
      'sasl.username': 'admin',
      'sasl.password': password,
    })
    const properties = at('client.properties')
    const jaas = `${plain} required username="admin" password="secret";`
    writeFileSync(
      properties,
      `security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=${jaas}\nssl.truststore.location=${at('cert.pem')}\nssl.truststore.type=PEM\n`,
    )
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      await runKafkaTool('kafka.admin.ConfigCommand', [
        ...['--bootstrap-server', broker.brokers, '--command-config', properties, '--alter'],
        ...['--add-config', `${mechanism}=[password=secret]`, '--entity-type', 'users'],
        ...['--entity-name', 'admin'],
      ])
    }
    const payload = at('payload.txt')
    writeFileSync(payload, '{"i":1}\n')
    await runKafkaTool('org.apache.kafka.tools.ProducerPerformance', [
      ...['--topic', 'secured', '--num-records', '5', '--throughput', '-1', '--payload-file', payload],
      ...['--producer.config', properties, '--producer-props', `bootstrap.servers=${broker.brokers}`],
    ])
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
      expect(await read(client(mechanism, 'secret'), { pattern: 'secu.*' }, 5)).toHaveLength(5)
    await expect(read(client('SCRAM-SHA-512', 'wrong'), { topics: ['secured'] }, 1)).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
      message: expect.stringMatching(/refused.*check security.protocol, the credentials/),
    })
  })
})
