import type { RejectedRecord } from '../../src/core/ports.ts'
import type { RecordBatch } from '../../src/core/record.ts'

/** A column as a file declares it; the type is the format's own name for it. */
export interface DeclaredColumn {
  readonly name: string
  readonly type: string
}

export interface FileBatch {
  readonly batch: RecordBatch
  readonly rejected: readonly RejectedRecord[]
}

/** Rows of one delivery at most: a batch of any size in the file is cut into such pieces. */
export const MAX_ROWS = 65_536

/** One file of records in one format. Rows are numbered from 0 in file order, rejected ones included. */
export interface RecordFile extends AsyncDisposable {
  readonly path: string
  /** How much of the file is read, 0 … 1; undefined where that is not known. */
  readonly progress?: number
  /** The columns that the file declares; undefined where the format declares none (NDJSON). */
  columns(): Promise<readonly DeclaredColumn[] | undefined>
  /** Every record once, in order, in batches of at most MAX_ROWS; only the columns that `wanted` accepts. */
  read(wanted: (column: string) => boolean, signal: AbortSignal): AsyncIterable<FileBatch>
}
