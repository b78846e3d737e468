import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { RedisLeases } from '../../connectors/redis/leases.ts'
import { leasesSuite } from '../conformance/leases.suite.ts'
import { shared } from '../services/shared.ts'

const prefix = `test-${randomUUID()}`
leasesSuite('RedisLeases', async (staleMs) => {
  return new RedisLeases(await shared('redis'), `${prefix}-${staleMs}`, staleMs)
})

it('knows that it was lost, and does not give back what another process holds by then', async () => {
  const url = await shared('redis')
  await using leases = new RedisLeases(url, prefix, 300)
  const redis = new Redis(url)
  const lease = (await leases.take('a'))!
  await redis.set(`${prefix}:lease:a`, 'another process')
  await expect.poll(() => lease.lost).toBe(true)
  await lease[Symbol.asyncDispose]()
  expect(await redis.get(`${prefix}:lease:a`)).toBe('another process')
  redis.disconnect()
})
