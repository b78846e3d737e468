import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOfRows, idOf, rowOf } from '../../src/core/record.ts'
import { sliceBatch } from '../../src/core/slice-batch.ts'

const value = fc.option(fc.integer(), { nil: null })

describe('sliceBatch', () => {
  it('holds the same rows and ids, at any cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ n: value, t: fc.option(fc.string(), { nil: null }) }), { minLength: 1 }),
        fc.nat(40),
        fc.nat(40),
        (records, from, count) => {
          const batch = batchOfRows(records)
          const slice = sliceBatch(batch, Math.min(from, records.length), from + count)
          const expected = records.slice(from, from + count)
          expect(slice.rows).toBe(expected.length)
          expected.forEach((record, i) => {
            expect({ ...rowOf(slice, i) }).toEqual(record)
            expect(idOf(slice.origin, i)).toBe(idOf(batch.origin, from + i))
          })
        },
      ),
    )
  })
})
