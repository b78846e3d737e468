import { writeFileSync } from 'node:fs'
import {
  CompressionType,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  type RecordBatchWriter,
  type Table,
  tableFromArrays,
} from 'apache-arrow'
import { registerCodecs } from '../../../connectors/arrow/compression.ts'

export interface WriteArrowOptions {
  readonly layout?: 'file' | 'stream'
  readonly compress?: 'lz4'
}

/** Writes a table, or plain records as float64, boolean and dictionary columns, as Arrow IPC. */
export async function writeArrow(
  path: string,
  data: Table | readonly Readonly<Record<string, unknown>>[],
  { layout = 'file', compress }: WriteArrowOptions = {},
): Promise<void> {
  registerCodecs()
  const options = compress === 'lz4' ? { compressionType: CompressionType.LZ4_FRAME } : {}
  const writer: RecordBatchWriter =
    layout === 'file'
      ? new RecordBatchFileWriter(options as never)
      : new RecordBatchStreamWriter(options as never)
  writer.writeAll(Array.isArray(data) ? tableOf(data) : (data as Table))
  writer.finish()
  writeFileSync(path, await writer.toUint8Array())
}

function tableOf(records: readonly Readonly<Record<string, unknown>>[]): Table {
  const names = Object.keys(records[0])
  return tableFromArrays(
    Object.fromEntries(names.map((name) => [name, records.map((record) => record[name])])),
  ) as Table
}
