import { describe, expect, it } from 'vitest'
import { contentIdOf } from '../../src/core/content-id.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'

const idOf = (record: Record<string, unknown>, fields?: string[]) =>
  contentIdOf(batchOfRows([record]), 0, fields)

describe('contentIdOf', () => {
  it('depends on what a record holds, not on the order of its fields or where it lies', () => {
    const id = idOf({ amount: 1.5, city: 'Bern', when: new Date(5) })
    expect(id).toMatch(/^content-[0-9a-f]{32}$/)
    expect(idOf({ when: new Date(5), city: 'Bern', amount: 1.5 })).toBe(id)
    const [other, same] = [
      { amount: 2, city: 'Chur' },
      { amount: 1.5, city: 'Bern', when: new Date(5) },
    ]
    expect(contentIdOf(batchOfRows([other, same]), 1)).toBe(id)
    for (const changed of [
      { amount: 1.6, city: 'Bern', when: new Date(5) },
      { amount: 1.5, city: 'Bern' },
      { amount: '1.5', city: 'Bern', when: new Date(5) },
      { amountcity: 1.5, '': 'Bern', when: new Date(5) },
    ])
      expect(idOf(changed)).not.toBe(id)
  })

  it('knows a number of a JSON record again in a float32 column, and a missing value as no field', () => {
    const column = { kind: 'number', values: Float32Array.of(0.1), integer: false } as const
    const arrow: RecordBatch = {
      rows: 1,
      columns: new Map([['x', column]]),
      origin: { prefix: 'f', offsets: { first: 9 } },
    }
    expect(contentIdOf(arrow, 0)).toBe(idOf({ x: 0.1, gone: null }))
  })

  it('looks at the named fields alone', () => {
    expect(idOf({ x: 1, note: 'a' }, ['x'])).toBe(idOf({ x: 1, note: 'b' }, ['x', 'absent']))
  })
})
