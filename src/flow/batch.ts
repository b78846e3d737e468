import { SurprisalError } from '../core/errors.ts'
import { contextColumns, type FlowSpec, type Matrix } from '../core/flow-spec.ts'

/** Throws SCHEMA_MISMATCH where a batch or its context does not have the flow's columns or holds foreign codes. */
export function requireBatch(spec: FlowSpec, x: Matrix, context: Matrix | undefined): void {
  requireMatrix('a batch', x, spec.dim)
  const columns = contextColumns(spec.context)
  if (columns === 0) return
  if (context === undefined) throw mismatch(`the flow needs a context of ${columns} columns with every batch`)
  requireMatrix('its context', context, columns)
  if (context.rows !== x.rows) throw mismatch(`a batch has ${x.rows} rows, its context ${context.rows}`)
  spec.context.embeddings.forEach(({ levels }, e) => {
    const column = spec.context.numeric + e
    for (let r = 0; r < context.rows; r++) {
      const code = context.data[r * columns + column]
      if (!(Number.isInteger(code) && code >= 0 && code < levels))
        throw mismatch(`row ${r} has code ${code} for embedding ${e}, which has levels 0 … ${levels - 1}`)
    }
  })
}

function requireMatrix(what: string, { rows, columns, data }: Matrix, wanted: number): void {
  if (columns !== wanted) throw mismatch(`${what} has ${columns} columns, the flow takes ${wanted}`)
  if (data.length < rows * columns)
    throw mismatch(`${what} holds ${data.length} numbers, fewer than ${rows} rows of ${columns}`)
}

function mismatch(message: string): SurprisalError {
  return new SurprisalError('SCHEMA_MISMATCH', message)
}
