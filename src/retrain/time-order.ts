import type { RecordBatch } from '../core/record.ts'
import { selectRows } from '../features/select-rows.ts'

/** Pieces that one origin's records are cut into at least, and the rows of one at most. */
const PIECES = 40
const MOST_ROWS = 256

/**
 * The records of several origins in order of time. Partitions arrive one after another or mixed by chance, while what is
 * held out must be the latest of all: each batch is cut into pieces, which are sorted by the time of their first record.
 * One origin alone, or batches without times, are left as they came.
 */
export function inTimeOrder(batches: readonly RecordBatch[]): readonly RecordBatch[] {
  const origins = new Set(batches.map(({ origin }) => origin.prefix))
  if (origins.size < 2 || batches.some(({ eventTime }) => eventTime === undefined)) return batches
  const total = batches.reduce((sum, { rows }) => sum + rows, 0)
  const size = Math.min(MOST_ROWS, Math.max(1, Math.ceil(total / origins.size / PIECES)))
  let last = Number.NEGATIVE_INFINITY
  const pieces = batches.flatMap((batch) =>
    Array.from({ length: Math.ceil(batch.rows / size) }, (_, piece) => {
      const from = piece * size
      const rows = Array.from({ length: Math.min(size, batch.rows - from) }, (_, i) => from + i)
      const time = batch.eventTime?.[from] ?? Number.NaN
      // A record without a time stays behind the one before it.
      if (!Number.isNaN(time)) last = time
      return { time: last, batch: selectRows(batch, rows) }
    }),
  )
  return pieces.sort((a, b) => a.time - b.time).map(({ batch }) => batch)
}
