import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelRegistry, ModelVersion } from '../../src/core/ports.ts'

export interface RegistryWorld {
  /** A new instance that sees the same models as every other one of this world. */
  open(): Promise<ModelRegistry>
  close(): Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What every ModelRegistry promises. */
export function modelRegistrySuite(name: string, world: () => Promise<RegistryWorld>): void {
  describe(`${name} keeps the promises of ModelRegistry`, () => {
    let shared: RegistryWorld
    let registry: ModelRegistry
    beforeEach(async () => {
      shared = await world()
      registry = await shared.open()
    })
    afterEach(async () => {
      await registry[Symbol.asyncDispose]()
      await shared.close()
    })
    const put = async (text: string, model = 'flights'): Promise<ModelVersion> =>
      registry.put(model, bytes(text), { rows: 10 }, await registry.fence(model))

    it('gives back identical bytes, numbered from 1', async () => {
      const content = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256)
      const first = await registry.put('flights', content, { nll: 1.5 }, await registry.fence('flights'))
      expect(first).toMatchObject({
        name: 'flights',
        version: 1,
        bytes: 70_000,
        aliases: [],
        summary: { nll: 1.5 },
      })
      expect(first.sha256).toBe(createHash('sha256').update(content).digest('hex'))
      expect(Buffer.from(await registry.get('flights', 1)).equals(Buffer.from(content))).toBe(true)
      expect((await put('two')).version).toBe(2)
      expect((await registry.list('flights')).map((v) => v.version)).toEqual([1, 2])
      expect(await registry.models()).toEqual(['flights'])
    })

    it('keeps models apart', async () => {
      await put('a')
      await put('b', 'orders')
      expect((await registry.list('orders')).map((v) => v.version)).toEqual([1])
      expect([...(await registry.models())].sort()).toEqual(['flights', 'orders'])
      expect(await registry.list('nothing')).toEqual([])
    })

    it('refuses a stale fence, its own earlier attempt included, and keeps nothing of it', async () => {
      const zombie = await registry.fence('flights')
      const current = await registry.fence('flights')
      expect(current).toBeGreaterThan(zombie)
      await expect(registry.put('flights', bytes('old'), {}, zombie)).rejects.toMatchObject({
        code: 'FENCE_STALE',
      })
      expect(await registry.list('flights')).toEqual([])
      expect((await registry.put('flights', bytes('new'), {}, current)).version).toBe(1)
    })

    it('numbers concurrent puts of many instances without a gap or a double', async () => {
      const others = await Promise.all(Array.from({ length: 4 }, () => shared.open()))
      const token = await registry.fence('flights')
      const made = await Promise.all(
        others.map((other, i) => other.put('flights', bytes(`m${i}`), {}, token)),
      )
      expect(made.map((v) => v.version).sort()).toEqual([1, 2, 3, 4])
      for (const version of made) {
        const stored = await registry.get('flights', version.version)
        expect(createHash('sha256').update(stored).digest('hex')).toBe(version.sha256)
      }
      for (const other of others) await other[Symbol.asyncDispose]()
    })

    it('moves aliases and tells who, when and why', async () => {
      await put('one')
      await put('two')
      expect(await registry.alias('flights', 'champion')).toBeUndefined()
      await registry.setAlias('flights', 'champion', 1, 'ada', 'first model')
      await registry.setAlias('flights', 'challenger', 2, 'gate', 'shadow')
      await registry.setAlias('flights', 'champion', 2, 'gate', 'better by 0.2 nats')
      await registry.setAlias('flights', 'challenger', null, 'gate', 'promoted')
      expect((await registry.alias('flights', 'champion'))?.version).toBe(2)
      expect(await registry.alias('flights', 'challenger')).toBeUndefined()
      const history = await registry.history('flights')
      expect(history.map((h) => [h.alias, h.previous, h.version, h.who])).toEqual([
        ['champion', null, 1, 'ada'],
        ['challenger', null, 2, 'gate'],
        ['champion', 1, 2, 'gate'],
        ['challenger', 2, null, 'gate'],
      ])
      expect(history[2].why).toBe('better by 0.2 nats')
      expect(Date.parse(history[2].at)).toBeGreaterThan(Date.now() - 60_000)
      await registry.setAlias('flights', 'champion', 1, 'ada', 'roll back')
      expect((await registry.list('flights')).map((v) => v.aliases)).toEqual([['champion'], []])
    })

    it('shows a promotion to a second instance that watches', async () => {
      await put('one')
      await put('two')
      await registry.setAlias('flights', 'champion', 1, 'ada', 'first')
      const watcher = await shared.open()
      const stop = new AbortController()
      const seen: number[] = []
      for await (const champion of watcher.watch('flights', stop.signal)) {
        seen.push(champion.version)
        if (seen.length === 1) await registry.setAlias('flights', 'champion', 2, 'gate', 'better')
        if (seen.length === 2) stop.abort()
      }
      expect(seen).toEqual([1, 2])
      await watcher[Symbol.asyncDispose]()
    })

    it('never removes a model that an alias points to, and never reuses a number', async () => {
      await put('one')
      await put('two')
      await registry.setAlias('flights', 'champion', 1, 'ada', 'first')
      await expect(registry.remove('flights', 1)).rejects.toMatchObject({ code: 'MODEL_EXISTS' })
      await registry.remove('flights', 2)
      await expect(registry.get('flights', 2)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
      expect((await registry.list('flights')).map((v) => v.version)).toEqual([1])
      expect((await put('three')).version).toBe(3)
    })

    it('says what is missing', async () => {
      await put('one')
      await expect(registry.get('flights', 9)).rejects.toThrow(/no version 9/)
      await expect(registry.remove('flights', 9)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
      await expect(registry.setAlias('flights', 'champion', 9, 'ada', 'typo')).rejects.toMatchObject({
        code: 'MODEL_NOT_FOUND',
      })
      expect(await registry.history('flights')).toEqual([])
    })

    it.each(['', '../etc/passwd', 'a/b', 'a..b', '.hidden', 'x'.repeat(200), 'nul\0', '__proto__'])(
      'refuses %j as a model name',
      async (hostile) => {
        await expect(registry.fence(hostile)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
        await expect(registry.get(hostile, 1)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
      },
    )

    it.each([0, -1, 1.5, Number.NaN, 2 ** 60])('refuses %d as a version', async (version) => {
      await expect(registry.get('flights', version)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    })
  })
}
