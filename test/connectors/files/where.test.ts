import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterBatch, parseCondition, selectRows } from '../../../connectors/files/where.ts'
import { batchOfRows, idOf, type RecordBatch, rowOf } from '../../../src/core/record.ts'

const at = new Date(Date.UTC(2024, 0, 2))
const RECORDS = [
  { n: 1, t: 'a', b: true, d: at, m: 1 },
  { n: 2.5, t: '', b: false, d: new Date(0), m: 'x' },
  { n: null, t: null, b: null, d: null, m: null },
  { n: 1, t: 'b', b: true, d: at, m: '1' },
]
const rowsKept = (batch: RecordBatch) =>
  Array.from({ length: batch.rows }, (_, row) => Number(idOf(batch.origin, row).slice('row-'.length)))
const kept = (...conditions: string[]) =>
  rowsKept(filterBatch(batchOfRows(RECORDS), conditions.map(parseCondition)))

describe('filterBatch', () => {
  it.each([
    [['n=1'], [0, 3]],
    [['n=1.0', 't=b'], [3]],
    [['n=2.50'], [1]],
    [['n='], [2]],
    [['t='], [1, 2]],
    [['t=c'], []],
    [['b=true'], [0, 3]],
    [['b=0'], [1]],
    [['d=2024-01-02T00:00:00Z'], [0, 3]],
    [['m=1'], [0, 3]],
    [['m='], [2]],
  ])('%j keeps rows %j', (conditions, rows) => {
    expect(kept(...conditions)).toEqual(rows)
  })

  it('compares float32 columns by what they can hold', () => {
    const batch: RecordBatch = {
      rows: 2,
      columns: new Map([['f', { kind: 'number', values: Float32Array.of(0.1, 0.2), integer: false }]]),
      origin: { prefix: 'row', offsets: { first: 0 } },
    }
    expect(rowsKept(filterBatch(batch, [{ column: 'f', value: '0.1' }]))).toEqual([0])
  })

  it.each([
    ['n=one', /holds numbers/],
    ['b=yes', /holds true or false/],
    ['d=yesterday', /holds timestamps/],
  ])('refuses %s', (condition, message) => {
    expect(() => kept(condition)).toThrow(message)
  })

  it('names a column that is not there', () => {
    expect(() => kept('no=1')).toThrow(expect.objectContaining({ code: 'SCHEMA_MISMATCH' }))
    expect(() => parseCondition('no')).toThrow(/expected column=value/)
    expect(parseCondition('a=b=c')).toEqual({ column: 'a', value: 'b=c' })
  })
})

describe('selectRows', () => {
  it('gives the rows asked for, in that order, with their ids', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(RECORDS.length - 1)), (rows) => {
        const selected = selectRows(batchOfRows(RECORDS), Int32Array.from(rows))
        expect(rowsKept(selected)).toEqual(rows)
        rows.forEach((row, i) => {
          expect({ ...rowOf(selected, i) }).toEqual(RECORDS[row])
        })
      }),
    )
  })
})
