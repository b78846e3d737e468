import { type Column, columnOf } from '../../src/core/record.ts'
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
    const columns = new Map<string, Column>()
    if (this.named !== undefined) {
      for (const { name, read } of this.named) columns.set(name, columnOf(values.map(read)))
      return columns
    }
    const cells = new Map<string, unknown[]>()
    for (const name of this.seen) cells.set(name, new Array(values.length).fill(null))
    for (let row = 0; row < values.length; row++) {
      eachLeaf(values[row], (path, leaf) => {
        let column = cells.get(path)
        if (column === undefined) {
          // A stream whose keys are data (identifiers, hashes) must not grow without bound.
          if (this.seen.size === MAX_COLUMNS) return
          this.seen.add(path)
          column = new Array(values.length).fill(null)
          cells.set(path, column)
        }
        column[row] = leaf
      })
    }
    for (const [name, cell] of cells) columns.set(name, columnOf(cell))
    return columns
  }
}
