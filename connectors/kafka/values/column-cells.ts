import { type Column, columnOf } from '../../../src/core/record.ts'

/**
 * One column in the making; rows come in order, and one that is left out is missing. As long as every row has a number
 * it is kept as float64 without an object a value; else the values become a list, which `columnOf` types in the end.
 */
export class ColumnCells {
  private readonly rows: number
  private numbers: Float64Array | undefined
  private filled = 0
  private integer = true
  private values: unknown[] = []

  constructor(rows: number) {
    this.rows = rows
    this.numbers = new Float64Array(rows)
  }

  set(row: number, value: unknown): void {
    const { numbers } = this
    if (numbers !== undefined) {
      if (typeof value === 'number' && row === this.filled) {
        numbers[row] = value
        this.filled = row + 1
        if (this.integer && !Number.isInteger(value)) this.integer = false
        return
      }
      this.list(numbers)
    }
    this.values[row] = value
  }

  column(): Column {
    const { numbers } = this
    if (numbers !== undefined && this.filled > 0 && this.filled === this.rows)
      return { kind: 'number', values: numbers, integer: this.integer }
    if (numbers !== undefined) this.list(numbers)
    return columnOf(this.values)
  }

  private list(numbers: Float64Array): void {
    this.values = new Array(this.rows).fill(null)
    for (let row = 0; row < this.filled; row++) this.values[row] = numbers[row]
    this.numbers = undefined
  }
}
