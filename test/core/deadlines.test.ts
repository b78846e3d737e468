import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Deadlines, type Due } from '../../src/core/deadlines.ts'

const step = fc.record({
  item: fc.nat(15),
  due: fc.option(fc.integer({ min: -50, max: 50 }), { nil: undefined }),
})

it('has what is due first in front, whatever was entered, moved and taken out before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const items: Due[] = Array.from({ length: 16 }, () => ({ due: Number.NaN, place: -1 }))
      const queue = new Deadlines<Due>()
      const known = new Map<Due, number>()
      for (const { item, due } of steps) {
        if (due === undefined) {
          queue.delete(items[item])
          known.delete(items[item])
        } else {
          queue.set(items[item], due)
          known.set(items[item], due)
        }
        expect(queue.size).toBe(known.size)
        expect(queue.first?.due).toBe(known.size === 0 ? undefined : Math.min(...known.values()))
      }
    }),
  )
})
