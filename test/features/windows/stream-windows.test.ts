import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOfRows, cell, type RecordBatch } from '../../../src/core/record.ts'
import { selectRows } from '../../../src/features/select-rows.ts'
import { StreamWindows } from '../../../src/features/windows/stream-windows.ts'
import { planWindows } from '../../../src/features/windows/window-plan.ts'
import type { WindowSpec } from '../../../src/features/windows/window-spec.ts'

const MINUTE = 60_000
const spec: WindowSpec = {
  fields: [
    {
      field: 'x',
      lags: [1],
      differences: [1],
      rolling: [{ span: 10 * MINUTE, statistics: ['mean', 'std'] }],
    },
  ],
  sincePrevious: true,
  clock: true,
  time: 'at',
  entity: 'host',
}
const COLUMNS = ['x[1]', 'x − x[1]', 'mean(x, 10m)', 'std(x, 10m)', 'at − at[1]', 'at − clock']

const rows = (n: number, host = 'a') =>
  Array.from({ length: n }, (_, i) => ({ at: new Date(i * 3 * MINUTE), x: i, host }))
const values = (batch: RecordBatch, names = COLUMNS): unknown[][] =>
  names.map((name) => Array.from({ length: batch.rows }, (_, row) => cell(batch.columns.get(name)!, row)))

describe('StreamWindows', () => {
  it('reads entity and time from the columns that the spec names', () => {
    const records = [...rows(3), ...rows(3, 'b')].sort((a, b) => +a.at - +b.at)
    const batch = new StreamWindows(spec).append(batchOfRows(records))
    expect(values(batch, ['x[1]', 'at − at[1]'])).toEqual([
      [null, null, 0, 0, 1, 1],
      [null, null, 180, 180, 180, 180],
    ])
  })

  it('takes a span of time from the records that lie in it, once the past reaches that far', () => {
    const batch = new StreamWindows(spec).append(batchOfRows(rows(7)))
    expect(values(batch, ['mean(x, 10m)'])).toEqual([[null, null, null, null, 2, 3, 4]])
  })

  it('gives the same features whatever the batches, and does not compute them again', () => {
    const whole = batchOfRows(rows(40))
    const expected = values(new StreamWindows(spec).append(whole))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 41 }), (size) => {
        const stream = new StreamWindows(spec)
        const parts: unknown[][][] = []
        for (let from = 0; from < whole.rows; from += size) {
          const part = selectRows(
            whole,
            [...Array(Math.min(size, whole.rows - from)).keys()].map((i) => from + i),
          )
          const appended = stream.append(part)
          expect(stream.append(appended)).toBe(appended)
          parts.push(values(appended))
        }
        expect(COLUMNS.map((_, c) => parts.flatMap((part) => part[c]))).toEqual(expected)
      }),
    )
  })

  it('keeps the partitions of a topic apart, and forgets one', () => {
    const stream = new StreamWindows(spec)
    const of = (partition: number) =>
      batchOfRows(rows(1), { prefix: `t-${partition}`, offsets: { first: 0 }, topic: 't', partition })
    const lag = (partition: number) => values(stream.append(of(partition)), ['x[1]'])[0][0]
    expect([lag(0), lag(1), lag(0), lag(1)]).toEqual([null, null, 0, 0])
    stream.forget('t-0')
    expect([lag(0), lag(1)]).toEqual([null, 0])
  })

  it('lets what depends on the own value alone follow a change, and nothing enter the past', () => {
    const stream = new StreamWindows(spec)
    const records = rows(9)
    const appended = stream.append(batchOfRows(records))
    const changed = records.map((r, i) => (i === 8 ? { ...r, x: 100, at: new Date(+r.at + 3_600_000) } : r))
    const varied = stream.vary(appended, batchOfRows(changed))
    const [before, after] = [values(appended), values(varied)]
    expect(after.map((column) => column[7])).toEqual(before.map((column) => column[7]))
    expect(after.map((column, c) => (column[8] as number) - (before[c][8] as number))).toEqual([
      0, 92, 0, 0, 3600, 3600,
    ])
    expect(varied.windows?.id).toBe(stream.id)
  })

  it('replaces what other windows added', () => {
    const other = new StreamWindows({ ...spec, late: 3 }).append(batchOfRows(rows(3)))
    expect(new StreamWindows(spec).append(other).windows?.id).toBe(new StreamWindows(spec).id)
  })
})

describe('planWindows', () => {
  const first = batchOfRows(rows(5))

  it('looks back on the clock of a stream with times, unless it is turned off', () => {
    expect(planWindows(first, {}, {})).toEqual({ fields: [], clock: true, time: 'at' })
    expect(planWindows(first, { clock: false }, {})).toBeUndefined()
    expect(planWindows(batchOfRows([{ x: 1 }]), {}, {})).toBeUndefined()
    expect(planWindows(first, {}, { ignore: ['at'] })).toBeUndefined()
  })

  it('names the entity’s column where it is one', () => {
    expect(planWindows(first, { sincePrevious: true }, { entity: 'host' })?.entity).toBe('host')
    expect(planWindows(first, { sincePrevious: true }, { entity: 'elsewhere' })?.entity).toBeUndefined()
  })

  it('refuses windows on a column that is not there, and on a time that is not', () => {
    expect(() => planWindows(first, { fields: [{ field: 'y', lags: [1] }] }, {})).toThrow(
      /"y", which is missing/,
    )
    expect(() => planWindows(batchOfRows([{ x: 1 }]), { sincePrevious: true }, {})).toThrow(
      /needs a column of times/,
    )
  })
})
