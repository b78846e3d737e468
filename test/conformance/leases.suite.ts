import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Leases } from '../../src/core/ports.ts'

/** @param open makes leases of one shared place, as a process would: they go stale after so many milliseconds. */
export function leasesSuite(name: string, open: (staleMs: number) => Promise<Leases>): void {
  describe(`${name} as leases`, () => {
    it('elects one of many who ask at once, by name', async () => {
      await using here = await open(5000)
      await using there = await open(5000)
      const asked = await Promise.all([here, there, here, there].map((leases) => leases.take('a')))
      const [held, ...others] = asked.filter((lease) => lease !== undefined)
      expect(others).toEqual([])
      expect(held.lost).toBe(false)
      await using other = await there.take('b')
      expect(other).toBeDefined()
      await held[Symbol.asyncDispose]()
      await using next = await there.take('a')
      expect(next).toBeDefined()
    })

    it('stays with who renews it for longer than it takes to go stale', async () => {
      await using here = await open(2000)
      await using there = await open(2000)
      await using held = await here.take('a')
      await sleep(3000)
      expect(held?.lost).toBe(false)
      expect(await there.take('a')).toBeUndefined()
    })
  })
}
