import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Admin,
  type Consumer,
  type IResourceConfigEntry,
  Kafka,
  type KafkaMessage,
  logLevel,
  type Message,
} from 'kafkajs'

/** A plain client of a broker, for what a test does beside the code under test. */
export function testKafka(brokers: string): Kafka {
  return new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 20 },
  })
}

/** A new topic with a name that nobody else has. */
export async function newTopic(
  brokers: string,
  partitions = 1,
  name = 'test',
  configEntries: IResourceConfigEntry[] = [],
): Promise<string> {
  const topic = `${name}-${randomUUID().slice(0, 8)}`
  await createTopics(brokers, [topic], partitions, configEntries)
  return topic
}

/** Topics that can be read and written at once. */
export async function createTopics(
  brokers: string,
  topics: readonly string[],
  numPartitions = 1,
  configEntries: IResourceConfigEntry[] = [],
): Promise<void> {
  const admin = testKafka(brokers).admin()
  await admin.connect()
  // The client's own wait for leaders gives up while a busy broker has not heard of the topic itself.
  await admin.createTopics({
    topics: topics.map((topic) => ({ topic, numPartitions, configEntries })),
    waitForLeaders: false,
  })
  while (!(await haveLeaders(admin, topics))) await sleep(50)
  await admin.disconnect()
}

async function haveLeaders(admin: Admin, topics: readonly string[]): Promise<boolean> {
  try {
    const found = await admin.fetchTopicMetadata({ topics: [...topics] })
    return found.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
  } catch {
    return false
  }
}

/** Where a pipeline on a topic writes. */
export function createOutputs(brokers: string, topic: string): Promise<void> {
  return createTopics(
    brokers,
    ['scored', 'anomalies', 'dlq'].map((output) => `${topic}.${output}`),
  )
}

export async function produce(brokers: string, topic: string, messages: Message[]): Promise<void> {
  const producer = testKafka(brokers).producer()
  await producer.connect()
  for (let i = 0; i < messages.length; i += 1000)
    await producer.send({ topic, messages: messages.slice(i, i + 1000) })
  await producer.disconnect()
}

export async function committedOffset(brokers: string, groupId: string, topic: string): Promise<number> {
  const admin = testKafka(brokers).admin()
  await admin.connect()
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
}

/** Everything in a topic from its beginning up to the message that is `enough`; committed transactions only. */
export async function readTopic(
  brokers: string,
  topic: string,
  enough: (message: KafkaMessage, count: number) => boolean,
  timeoutMs = 60_000,
): Promise<KafkaMessage[]> {
  const messages: KafkaMessage[] = []
  const consumer: Consumer = testKafka(brokers).consumer({
    groupId: `reader-${randomUUID()}`,
    maxWaitTimeInMs: 100,
    readUncommitted: false,
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`only ${messages.length} messages of ${topic} came in ${timeoutMs} ms`)),
        timeoutMs,
      )
      consumer.run({
        eachMessage: async ({ message }) => {
          messages.push(message)
          if (!enough(message, messages.length)) return
          clearTimeout(timer)
          resolve()
        },
      })
    })
  } finally {
    await consumer.disconnect()
  }
  return messages
}
