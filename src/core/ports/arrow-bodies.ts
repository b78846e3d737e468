import type { RecordBatch } from '../record.ts'
import type { ScoredBatch } from '../scored.ts'

/** Reads records that are posted as Arrow IPC, and answers in it. */
export interface ArrowBodies {
  /** The record batches of a stream or file, with ids that count through all of them. */
  read(bytes: Uint8Array): Promise<readonly RecordBatch[]>
  /** Scores as an IPC stream, as score files have them. */
  write(scored: readonly ScoredBatch[]): Uint8Array
}
