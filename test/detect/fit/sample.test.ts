import { describe, expect, it } from 'vitest'
import { batchOfRows, cell, idOf } from '../../../src/core/record.ts'
import { sliceBatch } from '../../../src/core/slice-batch.ts'
import { StreamSample } from '../../../src/detect/fit/sample.ts'

const rows = Array.from({ length: 64 }, (_, i) => ({
  n: i % 7 === 0 ? null : i,
  s: i % 5 === 0 ? null : `t${i % 3}`,
  b: i % 2 === 0,
  d: new Date(i * 1000),
  m: i % 2 === 0 ? i : 'x',
}))
const batch = batchOfRows(rows, { prefix: 'f', offsets: { first: 100 } })
const table = (b: typeof batch) =>
  Array.from({ length: b.rows }, (_, i) => [
    idOf(b.origin, i),
    ...[...b.columns.values()].map((column) => cell(column, i)),
  ])

describe('rows', () => {
  it('are sliced without losing a value, a gap or an id', () => {
    expect(table(sliceBatch(batch, 16, 43))).toEqual(table(batch).slice(16, 43))
  })
})

describe('StreamSample', () => {
  it('keeps everything under its limit and counts what it saw', () => {
    const sample = new StreamSample(1000, 1)
    sample.add(batch)
    expect(sample.batches).toEqual([batch])
    expect(sample.seen).toBe(64)
  })

  it('keeps a uniform sample in order and within its limit', () => {
    const sample = new StreamSample(500, 1)
    for (let k = 0; k < 100; k++) {
      sample.add(
        batchOfRows(
          Array.from({ length: 100 }, (_, i) => ({ v: k * 100 + i })),
          { prefix: 'f', offsets: { first: k * 100 } },
        ),
      )
    }
    const values = sample.batches.flatMap((b) =>
      Array.from({ length: b.rows }, (_, i) => cell(b.columns.get('v')!, i) as number),
    )
    expect(values.length).toBe(500)
    expect(values).toEqual([...values].sort((a, b) => a - b))
    const mean = values.reduce((a, b) => a + b) / values.length
    expect(Math.abs(mean - 5000)).toBeLessThan(700)
    expect(sample.seen).toBe(10_000)
  })
})
