import { batchOfRows, type RecordBatch } from '../core/record.ts'
import { grouped } from './threads/pipelined.ts'

/** One record as a plain object. */
export type PlainRecord = Readonly<Record<string, unknown>>
/** Records or batches of them, one after the other. */
export type Records = AsyncIterable<PlainRecord | RecordBatch> | Iterable<PlainRecord | RecordBatch>

export interface RecordBatchOptions {
  /** Records a batch. Default 4096. */
  readonly batchSize?: number
  /** How long a record waits for others to fill its batch, milliseconds. Default 50. */
  readonly delayMs?: number
  /** Ids are `<prefix>-0`, `<prefix>-1`, … Default `record`. */
  readonly prefix?: string
}

/** Batches of plain records, numbered through; batches pass as they are. */
export async function* recordBatches(
  records: Records,
  { batchSize = 4096, delayMs = 50, prefix = 'record' }: RecordBatchOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  let next = 0
  for await (const group of grouped(records, batchSize, delayMs)) {
    let plain: PlainRecord[] = []
    const flush = (): RecordBatch[] => {
      if (plain.length === 0) return []
      const batch = batchOfRows(plain, { prefix, offsets: { first: next } })
      next += plain.length
      plain = []
      return [batch]
    }
    for (const item of group) {
      if (isRecordBatch(item)) yield* [...flush(), item]
      else plain.push(item)
    }
    yield* flush()
  }
}

export function isRecordBatch(value: unknown): value is RecordBatch {
  return (
    typeof value === 'object' &&
    value !== null &&
    'columns' in value &&
    value.columns instanceof Map &&
    'rows' in value &&
    typeof value.rows === 'number'
  )
}
