import { SurprisalError } from '../../src/core/errors.ts'
import { closest } from '../../src/core/suggest.ts'
import type { DeclaredColumn } from './record-file.ts'

interface FileSchema {
  readonly path: string
  readonly columns: readonly DeclaredColumn[]
}

export function checkUniqueColumns(path: string, columns: readonly DeclaredColumn[]): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name))
      throw new SurprisalError(
        'SCHEMA_MISMATCH',
        `${path} has two columns named "${name}"; names must be unique`,
      )
    seen.add(name)
  }
}

/** Files read together must agree on the names and types of the columns that are read; their order may differ. */
export function checkSameSchema(
  first: FileSchema,
  other: FileSchema,
  wanted: (column: string) => boolean,
): void {
  const types = new Map(other.columns.map(({ name, type }) => [name, type]))
  for (const { name, type } of first.columns) {
    if (!wanted(name)) continue
    const found = types.get(name)
    if (found === undefined)
      throw new SurprisalError(
        'SCHEMA_MISMATCH',
        `${other.path} lacks column "${name}", which ${first.path} has`,
      )
    if (found !== type)
      throw new SurprisalError(
        'SCHEMA_MISMATCH',
        `column "${name}" is ${type} in ${first.path} and ${found} in ${other.path}; convert one of them, or leave the column out with --ignore ${name}`,
      )
  }
  const known = new Set(first.columns.map(({ name }) => name))
  const extra = other.columns.find(({ name }) => wanted(name) && !known.has(name))
  if (extra !== undefined)
    throw new SurprisalError(
      'SCHEMA_MISMATCH',
      `${other.path} has column "${extra.name}", which ${first.path} lacks; leave it out with --ignore ${extra.name}`,
    )
}

export function missingColumn(
  path: string,
  name: string,
  columns: readonly DeclaredColumn[],
): SurprisalError {
  const names = columns.map((column) => column.name)
  const near = closest(name, names)
  return new SurprisalError(
    'SCHEMA_MISMATCH',
    `${path} has no column "${name}"${near === undefined ? '' : ` (did you mean "${near}"?)`}; it has: ${names.join(', ')}`,
  )
}
