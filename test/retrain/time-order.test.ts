import { describe, expect, it } from 'vitest'
import { batchOfRows, type RecordBatch, rowOf } from '../../src/core/record.ts'
import { inTimeOrder } from '../../src/retrain/time-order.ts'

/** Records of one partition, a second apart. */
const partition = (name: string, first: number, rows: number): RecordBatch =>
  batchOfRows(
    Array.from({ length: rows }, (_, i) => ({ at: first + i })),
    { prefix: name, offsets: { first } },
    { eventTime: Float64Array.from({ length: rows }, (_, i) => 1000 * (first + i)) },
  )
const times = (batches: readonly RecordBatch[]): number[] =>
  batches.flatMap((b) => Array.from({ length: b.rows }, (_, row) => rowOf(b, row).at as number))

describe('inTimeOrder', () => {
  it('mixes partitions that came one after another, and loses none', () => {
    const found = times(inTimeOrder([partition('t-0', 0, 4000), partition('t-1', 0, 4000)]))
    expect(found).toHaveLength(8000)
    const latest = found.slice(7200)
    expect(Math.min(...latest)).toBeGreaterThan(3500)
  })

  it('leaves one partition, and batches without times, as they came', () => {
    const one = [partition('t-0', 100, 10), partition('t-0', 0, 10)]
    expect(inTimeOrder(one)).toBe(one)
    const { eventTime: _, ...timeless } = partition('t-1', 0, 10)
    const two = [partition('t-0', 5, 10), timeless]
    expect(inTimeOrder(two)).toBe(two)
  })

  it('keeps a record without a time behind the one before it', () => {
    const batch = partition('t-0', 50, 3)
    const gap = { ...batch, eventTime: Float64Array.of(50_000, Number.NaN, 52_000) }
    expect(times(inTimeOrder([gap, partition('t-1', 0, 3)]))).toEqual([0, 1, 2, 50, 51, 52])
  })
})
