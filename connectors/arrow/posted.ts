import { MessageReader } from 'apache-arrow'
import { SurprisalError } from '../../src/core/errors.ts'
import type { RecordBatch } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { arrowEncoder } from './sink.ts'
import { ArrowFile } from './source.ts'

/** Rows of one body: what is answered at once is held in memory several times over. */
const MOST_ROWS = 100_000
const MAGIC = 'ARROW1'
const PREFIX_BYTES = 8
const NAME = 'the body'

/**
 * The record batches of an IPC stream or file, with ids that count through all of them. FILE_FORMAT where it is broken
 * or compressed: a small body could unpack to any size. RECORD_INVALID above 100,000 rows.
 */
export async function readArrowBody(bytes: Uint8Array): Promise<readonly RecordBatch[]> {
  refuseCompressed(bytes)
  await using file = new ArrowFile(NAME, bytes)
  const batches: RecordBatch[] = []
  let first = 0
  for await (const { batch } of file.read(() => true, new AbortController().signal)) {
    batches.push({ ...batch, origin: { prefix: 'posted', offsets: { first } } })
    first += batch.rows
    if (first > MOST_ROWS)
      throw new SurprisalError(
        'RECORD_INVALID',
        `${NAME} holds more than ${MOST_ROWS} rows: post them in parts`,
      )
  }
  return batches
}

/** An IPC stream with the columns of a score file. */
export function writeArrowBody(scored: readonly ScoredBatch[]): Uint8Array {
  const encoder = arrowEncoder([], 'stream')
  return Buffer.concat([
    ...encoder.begin(),
    ...scored.flatMap((batch) => encoder.encode(batch)),
    ...encoder.end(),
  ])
}

function refuseCompressed(bytes: Uint8Array): void {
  const isFile = Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC
  const messages = new MessageReader(isFile ? bytes.subarray(PREFIX_BYTES) : bytes)
  let compressed = false
  try {
    for (const message of messages) {
      const header = message.isRecordBatch()
        ? message.header()
        : message.isDictionaryBatch()
          ? message.header().data
          : undefined
      if (header?.compression != null) compressed = true
      messages.readMessageBody(message.bodyLength)
    }
  } catch {
    // Broken: whoever reads it next says how.
  }
  if (compressed) throw new SurprisalError('FILE_FORMAT', `${NAME} is compressed Arrow: post it uncompressed`)
}
