import { openFiles } from '../../../connectors/files/open.ts'
import type { FileSource, FileSourceOptions } from '../../../connectors/files/source.ts'
import { parseCondition } from '../../../connectors/files/where.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { RejectedRecord } from '../../core/ports.ts'
import type { RecordBatch } from '../../core/record.ts'

/** Which records of which files. */
export interface DataOptions {
  readonly data: readonly string[]
  /** `column=value`, all of which must hold. */
  readonly where?: readonly string[]
  readonly time?: string
  readonly entity?: string
}

export async function openData(
  { data, where = [], time, entity }: DataOptions,
  use: Pick<FileSourceOptions, 'columns' | 'also' | 'ignore'>,
  signal: AbortSignal,
): Promise<FileSource> {
  const conditions = where.map(parseCondition)
  const named = { ...(time !== undefined && { time }), ...(entity !== undefined && { entity }) }
  return openFiles(data, { where: conditions, ...named, ...use }, signal)
}

/** The columns that `where` holds constant: they say nothing about normal records. */
export function fixedColumns(where: readonly string[] = []): string[] {
  return where.map((text) => parseCondition(text).column)
}

/** The batches of a source, each acknowledged when the next one is asked for. */
export async function* batchesOf(
  source: FileSource,
  signal: AbortSignal,
  onRejected: (rejected: readonly RejectedRecord[]) => void,
): AsyncGenerator<RecordBatch> {
  for await (const { batch, rejected, ack } of source.deliveries(signal)) {
    if (rejected.length > 0) onRejected(rejected)
    if (batch.rows > 0) yield batch
    await ack()
  }
  if (signal.aborted) throw new SurprisalError('ABORTED', 'stopped on request', { cause: signal.reason })
}
