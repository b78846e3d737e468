import { cell, columnNamed, type RecordBatch } from '../core/record.ts'

/** Every origin→destination pair that occurs, kept while the batches pass through. */
export class Routes {
  readonly known = new Set<string>()

  async *note(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
    for await (const batch of batches) {
      const origin = columnNamed(batch, 'origin')
      const destination = columnNamed(batch, 'destination')
      for (let row = 0; row < batch.rows; row++) {
        this.known.add(`${cell(origin, row)}→${cell(destination, row)}`)
      }
      yield batch
    }
  }
}
