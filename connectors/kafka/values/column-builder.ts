import type { Column } from '../../../src/core/record.ts'
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
    const cells = this.begin(values.length)
    if (this.named === undefined) {
      this.fillLeaves(values, cells)
    } else {
      for (const { name, read } of this.named) {
        const column = cells.get(name)!
        for (let row = 0; row < values.length; row++) column.set(row, read(values[row]))
      }
    }
    return this.end(cells)
  }

  /** Empty columns for that many rows. */
  begin(rows: number): Map<string, ColumnCells> {
    const names = this.named?.map(({ name }) => name) ?? this.seen
    return new Map(Array.from(names, (name) => [name, new ColumnCells(rows)]))
  }

  /** Where the leaves of a path go; undefined where nobody asks for them, or there are too many columns. */
  cellsOf(path: string, cells: Map<string, ColumnCells>, rows: number): ColumnCells | undefined {
    const { seen } = this
    const known = cells.get(path)
    // A stream whose keys are data (identifiers, hashes) must not grow without bound.
    if (known !== undefined || this.named !== undefined || seen.size === MAX_COLUMNS) return known
    seen.add(path)
    const column = new ColumnCells(rows)
    cells.set(path, column)
    return column
  }

  end(cells: ReadonlyMap<string, ColumnCells>): Map<string, Column> {
    return new Map(Array.from(cells, ([name, column]) => [name, column.column()]))
  }

  private fillLeaves(values: readonly unknown[], cells: Map<string, ColumnCells>): void {
    const rows = values.length
    let row = 0
    const visit = (path: string, leaf: unknown) => this.cellsOf(path, cells, rows)?.set(row, leaf)
    for (; row < rows; row++) eachLeaf(values[row], visit)
  }
}
