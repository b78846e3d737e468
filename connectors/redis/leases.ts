import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import type { Lease, Leases } from '../../src/core/ports.ts'

/** KEYS: lease. ARGV: holder, milliseconds. */
const RENEW = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`
/** KEYS: lease. ARGV: holder. */
const RELEASE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`

/** Keys in Redis that expire `staleMs` after their holder renewed them last. */
export class RedisLeases implements Leases {
  private readonly redis: Redis
  private readonly prefix: string
  private readonly staleMs: number

  constructor(url: string, prefix: string, staleMs = 15_000) {
    this.redis = new Redis(url, { maxRetriesPerRequest: 3, lazyConnect: true })
    this.redis.on('error', () => {})
    this.prefix = prefix
    this.staleMs = staleMs
  }

  async take(name: string): Promise<Lease | undefined> {
    const { redis, staleMs } = this
    const key = `${this.prefix}:lease:${name}`
    const holder = randomUUID()
    try {
      if ((await redis.set(key, holder, 'PX', staleMs, 'NX')) === null) return undefined
    } catch (cause) {
      throw new SurprisalError('SERVICE_UNREACHABLE', `Redis gave no lease: ${messageOf(cause)}`, { cause })
    }
    let renewedAt = performance.now()
    let lost = false
    const renewing = setInterval(async () => {
      const renewed = await redis.eval(RENEW, 1, key, holder, staleMs).catch(() => undefined)
      if (renewed === 1) renewedAt = performance.now()
      else if (renewed === 0) lost = true
    }, staleMs / 3)
    renewing.unref()
    return {
      get lost() {
        return lost || performance.now() - renewedAt > staleMs
      },
      async [Symbol.asyncDispose]() {
        clearInterval(renewing)
        await redis.eval(RELEASE, 1, key, holder).catch(() => undefined)
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.disconnect()
  }
}
