import type { Column } from '../../src/core/record.ts'
import { ColumnCells } from './column-cells.ts'
import { eachLeaf, pathReader } from './fields.ts'

const MAX_COLUMNS = 4096

/**
 * Columns from decoded values: the fields that are named, or every leaf that has been seen so far, so that a column
 * which one batch happens to lack is there, with missing values.
 */
export class ColumnBuilder {
  private readonly named: readonly { name: string; read: (value: unknown) => unknown }[] | undefined
  private readonly seen = new Set<string>()

  constructor(fields: readonly string[] | undefined) {
    this.named = fields?.map((name) => ({ name, read: pathReader(name) }))
  }

  build(values: readonly unknown[]): Map<string, Column> {
    const cells = new Map<string, ColumnCells>()
    if (this.named === undefined) {
      this.fillLeaves(values, cells)
    } else {
      for (const { name, read } of this.named) {
        const column = new ColumnCells(values.length)
        for (let row = 0; row < values.length; row++) column.set(row, read(values[row]))
        cells.set(name, column)
      }
    }
    const columns = new Map<string, Column>()
    for (const [name, column] of cells) columns.set(name, column.column())
    return columns
  }

  private fillLeaves(values: readonly unknown[], cells: Map<string, ColumnCells>): void {
    const { seen } = this
    const rows = values.length
    for (const name of seen) cells.set(name, new ColumnCells(rows))
    let row = 0
    const visit = (path: string, leaf: unknown) => {
      let column = cells.get(path)
      if (column === undefined) {
        // A stream whose keys are data (identifiers, hashes) must not grow without bound.
        if (seen.size === MAX_COLUMNS) return
        seen.add(path)
        column = new ColumnCells(rows)
        cells.set(path, column)
      }
      column.set(row, leaf)
    }
    for (; row < rows; row++) eachLeaf(values[row], visit)
  }
}
