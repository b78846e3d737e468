import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { RedisModelRegistry } from '../../connectors/redis/model-registry.ts'
import { modelRegistrySuite } from '../conformance/model-registry.suite.ts'
import { startRedis } from '../services/redis.ts'
import { shared } from '../services/shared.ts'

modelRegistrySuite('redis', async () => {
  const url = await shared('redis')
  const prefix = `test-${randomUUID()}`
  return { open: async () => new RedisModelRegistry(url, { prefix, pollMs: 10 }), close: async () => {} }
})

describe('RedisModelRegistry', () => {
  it('keeps everything over a kill −9 of Redis, and its watch goes on', async () => {
    const server = await startRedis()
    const registry = new RedisModelRegistry(server.url, { pollMs: 20 })
    const put = async () => registry.put('m', Buffer.from('model'), {}, await registry.fence('m'))
    await put()
    await put()
    await registry.setAlias('m', 'champion', 1, 'ada', 'first')
    const stop = new AbortController()
    const seen: number[] = []
    for await (const champion of registry.watch('m', stop.signal)) {
      seen.push(champion.version)
      if (seen.length === 2) break
      await server.kill()
      await expect(registry.get('m', 1)).rejects.toMatchObject({
        code: 'SERVICE_UNREACHABLE',
        retryable: true,
      })
      await server.start()
      await registry.setAlias('m', 'champion', 2, 'ada', 'second')
    }
    expect(seen).toEqual([1, 2])
    expect((await registry.list('m')).map((v) => v.aliases)).toEqual([[], ['champion']])
    await registry[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
})
