import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { CHROMIUM_ARGS } from '../services/chromium.ts'
import { runKafkaTool, startKafka } from '../services/kafka.ts'
import { startPostgres } from '../services/postgres.ts'
import { startRedis } from '../services/redis.ts'
import { shared } from '../services/shared.ts'

describe('the shared servers', () => {
  it('are a Kafka that Apache’s own client reads', async () => {
    const brokers = await shared('kafka')
    const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    await producer.send({ topic: 'services-test', messages: [{ value: 'one' }, { value: 'two' }] })
    await producer.disconnect()
    const args = ['--bootstrap-server', brokers, '--topic', 'services-test', '--from-beginning']
    const limit = ['--max-messages', '2', '--timeout-ms', '20000']
    const text = await runKafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [...args, ...limit])
    expect(text).toBe('one\ntwo\n')
  })

  it('are a Redis', async () => {
    const redis = new Redis(await shared('redis'))
    expect(await redis.ping()).toBe('PONG')
    redis.disconnect()
  })

  it('are a PostgreSQL', async () => {
    const client = new pg.Client(await shared('postgres'))
    await client.connect()
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
  })

  it('are a Chromium', async () => {
    const page = execFileSync(
      await shared('chromium'),
      [...CHROMIUM_ARGS, '--dump-dom', 'data:text/html,<p>hi'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    expect(page).toContain('<p>hi')
  })
})

describe('a server of one’s own', () => {
  it('keeps its Redis data over a kill', async () => {
    await using server = await startRedis()
    const redis = new Redis(server.url)
    await redis.set('key', 'kept')
    redis.disconnect()
    await server.kill()
    await server.start()
    const again = new Redis(server.url)
    expect(await again.get('key')).toBe('kept')
    again.disconnect()
  })

  it('keeps its PostgreSQL data over a stop', async () => {
    await using server = await startPostgres()
    const query = async (sql: string) => {
      const client = new pg.Client(server.url)
      await client.connect()
      try {
        return (await client.query(sql)).rows
      } finally {
        await client.end()
      }
    }
    await query('create table t as select 42 as answer')
    await server.stop()
    await server.start()
    expect(await query('select * from t')).toEqual([{ answer: 42 }])
  })

  it('keeps its Kafka data over a kill', async () => {
    await using server = await startKafka()
    const kafka = new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'kept' }] })
    await producer.disconnect()
    await server.kill()
    await server.start()
    const admin = kafka.admin()
    await admin.connect()
    let high = ''
    while (high !== '1') {
      high = (await admin.fetchTopicOffsets('t').catch(() => []))[0]?.high ?? ''
      await sleep(100)
    }
    await admin.disconnect()
  })
})
