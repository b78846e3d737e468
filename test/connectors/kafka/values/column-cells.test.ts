import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ColumnCells } from '../../../../connectors/kafka/values/column-cells.ts'
import { cell, columnOf } from '../../../../src/core/record.ts'

const value = fc.oneof(
  { weight: 8, arbitrary: fc.double() },
  { weight: 2, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, true, 'text') },
)

it('gives the column of the list of its values, with rows left out as missing', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 12 }), (values) => {
      const cells = new ColumnCells(values.length)
      values.forEach((one, row) => {
        if (one !== undefined) cells.set(row, one)
      })
      const column = cells.column()
      const expected = columnOf(values.map((one) => one ?? null))
      expect(column).toEqual(expected)
      values.forEach((one, row) => {
        expect(cell(column, row)).toEqual(one ?? null)
      })
    }),
  )
})
