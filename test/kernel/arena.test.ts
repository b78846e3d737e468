import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arena } from '../../src/kernel/arena.ts'

const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 32, shared: true })

describe('Arena', () => {
  it('hands out zeroed, aligned blocks that never overlap, whatever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.constant(0)), { maxLength: 60 }),
        (ops) => {
          const store = memory()
          const arena = new Arena(store, 100, 32 * 65_536)
          const live: { address: number; bytes: number }[] = []
          for (const bytes of ops) {
            const oldest = live[0]
            if (bytes === 0) {
              if (oldest) arena.free(live.shift()!.address)
              continue
            }
            const address = arena.allocate(bytes)
            expect(address % 64).toBe(0)
            for (const other of live)
              expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true)
            const view = new Uint8Array(store.buffer, address, bytes)
            expect(view.every((v) => v === 0)).toBe(true)
            view.fill(7)
            live.push({ address, bytes })
          }
          for (const { address } of live) arena.free(address)
          expect(arena.used).toBe(0)
          expect(arena.allocate(1)).toBe(128)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('grows the memory up to its limit and says when a flow is too large', () => {
    const arena = new Arena(memory(), 0, 32 * 65_536)
    arena.allocate(20 * 65_536)
    expect(() => arena.allocate(20 * 65_536)).toThrow(/limit is 2097152: use a smaller flow/)
  })

  it('refuses to free what it did not give', () => {
    expect(() => new Arena(memory(), 0, 65_536).free(64)).toThrow(/no block/)
  })
})
