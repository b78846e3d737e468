import fc from 'fast-check'
import { expect, it } from 'vitest'
import { covers, type OffsetRange, withRange } from '../../../src/core/scores/offset-ranges.ts'

const range = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 12 })).map(([a, n]): OffsetRange => [a, a + n])

it('a list of ranges is the set of their offsets: ascending, disjoint, never touching', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (added) => {
      const set = new Set<number>()
      let ranges: OffsetRange[] = []
      for (const [first, next] of added) {
        for (let offset = first; offset < next; offset++) set.add(offset)
        ranges = withRange(ranges, [first, next])
      }
      for (let offset = -1; offset < 80; offset++) expect(covers(ranges, offset)).toBe(set.has(offset))
      for (let i = 1; i < ranges.length; i++) expect(ranges[i][0]).toBeGreaterThan(ranges[i - 1][1])
    }),
  )
})
