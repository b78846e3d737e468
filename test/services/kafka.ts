import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requireProgram } from './install.ts'
import { kafkaJars } from './kafka-jars.ts'
import { freePort, type Program, program, temporaryFolder } from './program.ts'

const JAVA = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']
const LOGGING = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
const CLUSTER = 'c3VycHJpc2FsLXRlc3QtMQ'

const java = () => requireProgram('kafka', ['java'], ['default-jre-headless', 'maven'])

/** Kafka's own programs: a client of another make, for example org.apache.kafka.tools.consumer.ConsoleConsumer. */
export async function runKafkaTool(main: string, args: readonly string[]): Promise<string> {
  const classpath = join(await kafkaJars(), '*')
  const { stdout } = await promisify(execFile)(
    await java(),
    ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', LOGGING, '-cp', classpath, main, ...args],
    { maxBuffer: 1 << 28 },
  )
  return stdout
}

export interface Broker extends Program {
  readonly brokers: string
  /** The port of its controller. */
  readonly controller: number
}

/**
 * A real Apache Kafka broker in KRaft's combined mode. `properties` add to or replace its settings, so that a test
 * may open listeners with TLS or SASL; `{port}` and `{folder}` in a value stand for this broker's own.
 */
export async function startKafka(
  properties: Readonly<Record<string, string | number>> = {},
): Promise<Broker> {
  const command = await java()
  const classpath = join(await kafkaJars(), '*')
  const [port, controller, folder] = [await freePort(), await freePort(), temporaryFolder('kafka')]
  mkdirSync(join(folder, 'data'))
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    // A broker that was killed is let back in as soon as its old session has ended.
    'broker.session.timeout.ms': 1500,
    'broker.heartbeat.interval.ms': 300,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // The default reserves 128 MB of heap.
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    'log.cleaner.backoff.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 2,
  }
  for (const [key, value] of Object.entries(properties)) {
    settings[key] = String(value)
      .replaceAll('{port}', String(port))
      .replaceAll('{folder}', folder)
      .replaceAll('{controller}', String(controller))
  }
  const file = join(folder, 'server.properties')
  writeFileSync(
    file,
    Object.entries(settings)
      .map((setting) => setting.join('='))
      .join('\n'),
  )
  const base = [...JAVA, LOGGING, '-cp', classpath]
  const format = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', CLUSTER, '-c', file]
  await promisify(execFile)(command, [...base, ...format])
  const server = await program({ name: 'Kafka', command, args: [...base, 'kafka.Kafka', file], folder, port })
  return Object.assign(server, { brokers: `127.0.0.1:${port}`, controller })
}

/**
 * Two brokers, of which the first is the controller and the second may go away and come back. Partitions are on both,
 * and go back to the leader that is named first as soon as it is in sync again.
 */
export async function startKafkaPair(): Promise<readonly [first: Broker, second: Broker]> {
  const replicated = {
    'offsets.topic.replication.factor': 2,
    'transaction.state.log.replication.factor': 2,
    'default.replication.factor': 2,
    'leader.imbalance.check.interval.seconds': 1,
    'leader.imbalance.per.broker.percentage': 0,
  }
  const first = await startKafka(replicated)
  try {
    const second = await startKafka({
      ...replicated,
      'process.roles': 'broker',
      'node.id': 2,
      'controller.quorum.voters': `1@127.0.0.1:${first.controller}`,
      listeners: 'PLAINTEXT://127.0.0.1:{port}',
    })
    return [first, second]
  } catch (error) {
    await first[Symbol.asyncDispose]()
    throw error
  }
}
