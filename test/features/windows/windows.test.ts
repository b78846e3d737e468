import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOfRows, cell, type RecordBatch } from '../../../src/core/record.ts'
import { fitEncoder } from '../../../src/features/encoder-fit.ts'
import type { WindowSpec } from '../../../src/features/windows/window-spec.ts'
import { Windows } from '../../../src/features/windows/windows.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const spec: WindowSpec = {
  fields: [
    {
      field: 'x',
      lags: [1, 3],
      differences: [2],
      rolling: [{ size: 4, statistics: ['mean', 'std', 'min', 'max'] }],
      seasonal: [{ period: DAY, slots: 24 }],
    },
  ],
  late: 1000,
}

interface Event {
  readonly entity: string
  readonly time: number
  readonly x: number | null
}

function batchOf(events: readonly Event[]): RecordBatch {
  return batchOfRows(
    events.map(({ x }) => ({ x })),
    undefined,
    { eventTime: Float64Array.from(events, ({ time }) => time), entity: events.map(({ entity }) => entity) },
  )
}

function added(windows: Windows, batch: RecordBatch): unknown[][] {
  const out = windows.append(batch)
  return windows.columns.map(({ name }) =>
    Array.from({ length: batch.rows }, (_, row) => cell(out.columns.get(name)!, row)),
  )
}

const rowsOf = (columns: unknown[][]): unknown[][] =>
  columns[0].map((_, row) => columns.map((column) => column[row]))

/** The windows of record i by their definition, from all records that arrived before it. */
function byDefinition(events: readonly Event[], i: number): (number | null)[] {
  const { entity, time, x } = events[i]
  const own = events.slice(0, i).filter((e) => e.entity === entity && e.x !== null)
  const past = own
    .map((e, order) => ({ ...e, order }))
    .filter((e) => e.time <= time)
    .sort((a, b) => a.time - b.time || a.order - b.order)
    .map((e) => e.x!)
  const lag = (k: number): number | null => past.at(-k) ?? null
  const last = past.length < 4 ? null : past.slice(-4)
  const mean = last && last.reduce((sum, v) => sum + v, 0) / 4
  const hour = Math.floor(time / HOUR)
  const before = own.filter((e) => Math.floor(e.time / HOUR) === hour - 24).map((e) => e.x!)
  return [
    lag(1),
    lag(3),
    x === null || lag(2) === null ? null : x - lag(2)!,
    mean,
    last && Math.sqrt(last.reduce((sum, v) => sum + (v - mean!) ** 2, 0) / 4),
    last && Math.min(...last),
    last && Math.max(...last),
    before.length === 0 ? null : before.reduce((sum, v) => sum + v, 0) / before.length,
  ]
}

const event = fc.record({
  entity: fc.constantFrom('a', 'b'),
  time: fc.integer({ min: 0, max: 100 }).map((n) => n * (HOUR / 3)),
  x: fc.option(fc.integer({ min: -50, max: 50 }), { freq: 8 }),
})

function expectRows(actual: unknown[][], expected: (number | null)[][]): void {
  for (const [row, values] of expected.entries())
    for (const [c, value] of values.entries()) {
      if (value === null) expect(actual[row][c]).toBeNull()
      else expect(actual[row][c]).toBeCloseTo(value, 9)
    }
}

describe('Windows', () => {
  it('equal their definition on records in order', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), (events) => {
        const ordered = [...events].sort((a, b) => a.time - b.time)
        const rows = rowsOf(added(new Windows(spec), batchOf(ordered)))
        expectRows(
          rows,
          ordered.map((_, i) => byDefinition(ordered, i)),
        )
      }),
    )
  })

  it('find the place of records out of order', () => {
    const plain: WindowSpec = { ...spec, fields: [{ ...spec.fields[0], seasonal: [] }] }
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), (events) => {
        const rows = rowsOf(added(new Windows(plain), batchOf(events)))
        expectRows(
          rows,
          events.map((_, i) => byDefinition(events, i).slice(0, -1)),
        )
      }),
    )
  })

  it('do not depend on where batches are cut', () => {
    const cut = fc.integer({ min: 0, max: 60 })
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 60 }),
        cut,
        fc.constantFrom(0, 2),
        (events, at, late) => {
          const small = { ...spec, late, entities: 1 }
          const whole = added(new Windows(small), batchOf(events))
          const first = new Windows(small)
          const head = added(first, batchOf(events.slice(0, at)))
          const tail = added(first, batchOf(events.slice(at)))
          expect(head.map((column, c) => [...column, ...tail[c]])).toEqual(whole)
        },
      ),
    )
  })

  it('keep bounded state: the entity unseen for longest is forgotten, histories are cut', () => {
    const windows = new Windows({ ...spec, entities: 3, late: 2 })
    const events = Array.from({ length: 500 }, (_, i) => ({ entity: `e${i % 5}`, time: i * HOUR, x: i }))
    windows.append(batchOf(events))
    windows.append(
      batchOf(Array.from({ length: 50 }, (_, i) => ({ entity: 'e4', time: (500 + i) * HOUR, x: i }))),
    )
    expect(windows.entities).toBe(3)
    const next = (entity: string) => added(windows, batchOf([{ entity, time: 600 * HOUR, x: 7 }]))[0][0]
    expect(next('e4')).toBe(49)
    expect(next('e0')).toBeNull()
  })

  it('give a record from before all that is kept no past, and keep it out of the history', () => {
    const windows = new Windows({ fields: [{ field: 'x', lags: [1] }], late: 0 })
    const events = [1, 2, 3].map((x) => ({ entity: 'a', time: x * HOUR, x }))
    windows.append(batchOf(events))
    const late = { entity: 'a', time: 0, x: 99 }
    expect(added(windows, batchOf([late, { entity: 'a', time: 9 * HOUR, x: 4 }]))).toEqual([[null, 3]])
  })

  it('take records without time or entity in the order of arrival', () => {
    const windows = new Windows({
      fields: [{ field: 'x', lags: [1], seasonal: [{ period: DAY, slots: 1 }] }],
    })
    expect(added(windows, batchOfRows([{ x: 1 }, { x: 2 }, { x: 3 }]))).toEqual([
      [null, 1, 2],
      [null, null, null],
    ])
  })

  it('let no value in that is not a finite number', () => {
    const windows = new Windows({ fields: [{ field: 'x', lags: [1], differences: [1] }] })
    const rows = [{ x: 1 }, { x: Number.NaN }, { x: 'seven' }, { x: Number.POSITIVE_INFINITY }, { x: 5 }]
    expect(added(windows, batchOfRows(rows))).toEqual([
      [null, 1, 1, 1, 1],
      [null, null, null, null, 4],
    ])
  })

  it('make columns that the encoder learns, missing at the start', () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({ x: Math.sin(i / 5) + (i % 7) / 3.1 }))
    const batch = new Windows({ fields: [{ field: 'x', lags: [1] }] }).append(batchOfRows(rows))
    const encoder = fitEncoder([batch], { overrides: { 'x[1]': { context: true } } })
    expect(encoder.layout.context).toEqual(['x[1]'])
    expect(encoder.encode(batch).unscored.size).toBe(0)
  })

  it('refuse a spec out of range, and a column that exists, by name', () => {
    const of = (field: object): WindowSpec => ({ fields: [{ field: 'x', ...field }] })
    expect(() => new Windows(of({ lags: [0] }))).toThrow(
      /a lag of "x" is 0; it must be a whole number from 1/,
    )
    expect(() => new Windows(of({ rolling: [{ size: 1, statistics: ['std'] }] }))).toThrow(/rolling size/)
    expect(() => new Windows(of({ seasonal: [{ period: 5, slots: 1 }] }))).toThrow(/period of "x"/)
    expect(() => new Windows(of({ lags: [1, 1] }))).toThrow(/"x\[1\]" would stand twice/)
    expect(() => new Windows(of({ lags: [1] })).append(batchOfRows([{ x: 1, 'x[1]': 2 }]))).toThrow(
      /rename it/,
    )
  })
})
