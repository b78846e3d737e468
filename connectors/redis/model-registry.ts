import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'
import { aliasesAfter, aliasesOf } from '../../src/core/alias-history.ts'
import { messageOf, SurprisalError } from '../../src/core/errors.ts'
import { assertModelName, assertModelVersion } from '../../src/core/model-name.ts'
import type { AliasChange, ModelAlias, ModelRegistry, ModelVersion } from '../../src/core/ports.ts'
import { aliasedModel, noSuchModel, staleFence } from '../../src/core/registry-errors.ts'

type Entry = Omit<ModelVersion, 'aliases'>

/** KEYS: fence, counter, entries, artifacts, names. ARGV: fence, entry without version, bytes, model. */
const PUT = `
local newest = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) ~= newest then return {0, newest} end
local version = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[3], version, ARGV[2])
redis.call('HSET', KEYS[4], version, ARGV[3])
redis.call('SADD', KEYS[5], ARGV[4])
return {1, version}`

/** KEYS: artifacts, history. ARGV: version or '', change (JSON), channel. */
const SET_ALIAS = `
if ARGV[1] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[2])
return 1`

/** KEYS: artifacts, history length guard. ARGV: version, the history length the caller decided on. */
const REMOVE = `
if redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[2]) then return -1 end
return redis.call('HDEL', KEYS[1], ARGV[1])`

/**
 * A registry in Redis: hashes of entries and of artifacts, a list as alias history, a counter as fence. Every change
 * is one script, so it happens whole or not at all. Give that Redis persistence (AOF) and noeviction.
 */
export class RedisModelRegistry implements ModelRegistry {
  readonly name = 'redis'
  private readonly redis: Redis

  constructor(
    url: string,
    private readonly options: {
      readonly prefix?: string
      readonly pollMs?: number
      readonly redis?: RedisOptions
    } = {},
  ) {
    this.redis = new Redis(url, { maxRetriesPerRequest: 3, lazyConnect: true, ...options.redis })
    this.redis.on('error', () => {})
  }

  async fence(model: string): Promise<number> {
    return this.call(async () => this.redis.incr(this.key(model, 'fence')))
  }

  async put(
    model: string,
    artifact: Uint8Array,
    summary: Readonly<Record<string, unknown>>,
    fence: number,
  ): Promise<ModelVersion> {
    const entry = {
      name: model,
      created_at: new Date().toISOString(),
      sha256: createHash('sha256').update(artifact).digest('hex'),
      bytes: artifact.length,
      summary,
    }
    const keys = ['fence', 'counter', 'entries', 'artifacts'].map((part) => this.key(model, part))
    const [done, number] = (await this.call(() =>
      this.redis.eval(
        PUT,
        5,
        ...keys,
        this.prefix('models'),
        fence,
        JSON.stringify(entry),
        Buffer.from(artifact),
        model,
      ),
    )) as [number, number]
    if (done === 0) throw staleFence(model, fence, number)
    return { ...entry, version: number, aliases: [] }
  }

  async get(model: string, version: number): Promise<Uint8Array> {
    assertModelVersion(version)
    const bytes = await this.call(() => this.redis.hgetBuffer(this.key(model, 'artifacts'), String(version)))
    if (bytes === null) throw noSuchModel(model, version)
    return bytes
  }

  async list(model: string): Promise<readonly ModelVersion[]> {
    const [entries, kept, history] = await this.call(() =>
      Promise.all([
        this.redis.hgetall(this.key(model, 'entries')),
        this.redis.hkeys(this.key(model, 'artifacts')),
        this.history(model),
      ]),
    )
    const aliases = aliasesAfter(history)
    return kept
      .map(Number)
      .sort((a, b) => a - b)
      .map((version) => ({
        ...(JSON.parse(entries[String(version)]) as Entry),
        version,
        aliases: aliasesOf(version, aliases),
      }))
  }

  async models(): Promise<readonly string[]> {
    return (await this.call(() => this.redis.smembers(this.prefix('models')))).sort()
  }

  async setAlias(
    model: string,
    alias: ModelAlias,
    version: number | null,
    who: string,
    why: string,
  ): Promise<void> {
    if (version !== null) assertModelVersion(version)
    const previous = aliasesAfter(await this.history(model)).get(alias) ?? null
    const change: AliasChange = { at: new Date().toISOString(), alias, version, previous, who, why }
    const done = await this.call(() =>
      this.redis.eval(
        SET_ALIAS,
        2,
        this.key(model, 'artifacts'),
        this.key(model, 'history'),
        version === null ? '' : version,
        JSON.stringify(change),
      ),
    )
    if (done === 0) throw noSuchModel(model, version as number)
  }

  async alias(model: string, alias: ModelAlias): Promise<ModelVersion | undefined> {
    return (await this.list(model)).find((version) => version.aliases.includes(alias))
  }

  async history(model: string): Promise<readonly AliasChange[]> {
    const lines = await this.call(() => this.redis.lrange(this.key(model, 'history'), 0, -1))
    return lines.map((line) => JSON.parse(line) as AliasChange)
  }

  async remove(model: string, version: number): Promise<void> {
    assertModelVersion(version)
    const history = await this.history(model)
    const held = aliasesOf(version, aliasesAfter(history))
    if (held.length > 0) throw aliasedModel(model, version, held)
    const removed = await this.call(() =>
      this.redis.eval(
        REMOVE,
        2,
        this.key(model, 'artifacts'),
        this.key(model, 'history'),
        version,
        history.length,
      ),
    )
    if (removed === -1) return this.remove(model, version)
    if (removed === 0) throw noSuchModel(model, version)
  }

  /** Polls the history's length: a missed notification or a reconnect cannot lose a promotion. */
  async *watch(model: string, signal: AbortSignal): AsyncIterable<ModelVersion> {
    let length = -1
    let last: number | undefined
    while (!signal.aborted) {
      const now = await this.redis.llen(this.key(model, 'history')).catch(() => length)
      if (now !== length) {
        const champion = await this.alias(model, 'champion')
        length = now
        if (champion !== undefined && champion.version !== last) yield champion
        last = champion?.version
      }
      await sleep(this.options.pollMs ?? 1000, undefined, { signal }).catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.disconnect()
  }

  private prefix(part: string): string {
    return `${this.options.prefix ?? 'surprisal'}:${part}`
  }

  private key(model: string, part: string): string {
    assertModelName(model)
    return this.prefix(`{${model}}:${part}`)
  }

  private async call<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command()
    } catch (cause) {
      if (cause instanceof SurprisalError) throw cause
      const { host, port } = this.redis.options
      throw new SurprisalError(
        'SERVICE_UNREACHABLE',
        `Redis at ${host}:${port} did not answer: ${messageOf(cause)}`,
        {
          cause,
        },
      )
    }
  }
}
