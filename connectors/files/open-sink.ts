import { SurprisalError } from '../../src/core/errors.ts'
import type { Sink } from '../../src/core/ports.ts'
import { type FileFormat, formatOfName } from './format.ts'
import { FileSink, numberedParts, type ScoredEncoder } from './sink.ts'
import { StandardOutput } from './standard-output.ts'

/** A sink whose unfinished output can be taken back: after discard, no file appears. */
export interface DiscardableSink extends Sink {
  flush(): Promise<void>
  discard(): Promise<void>
}

export interface FileSinkSettings {
  /** Input columns that the output carries on. */
  readonly keep?: readonly string[]
  /** Default: by the extension; NDJSON on standard output. */
  readonly format?: FileFormat
  /** Where part n (from 1) goes; default: the path, then numbered beside it. */
  readonly part?: (n: number) => string
}

/** A sink for a path (or `-`, standard output) in the format of its extension. USAGE on an unknown extension. */
export async function fileSink(path: string, settings: FileSinkSettings = {}): Promise<DiscardableSink> {
  const { keep = [], part = numberedParts(path) } = settings
  const standard = path === '-'
  const format = settings.format ?? (standard ? 'ndjson' : formatOfName(path))
  if (format === undefined) {
    throw new SurprisalError(
      'USAGE',
      `${path}: the extension says no output format; use .arrow, .parquet, .csv or .ndjson`,
    )
  }
  if (format === 'parquet') {
    if (standard)
      throw new SurprisalError('USAGE', 'Parquet cannot go to standard output; use arrow, csv or ndjson')
    const { ParquetSink } = await import('../duckdb/sink.ts')
    return new ParquetSink(part, keep)
  }
  const encoder = await encoderOf(format, keep, standard)
  return new FileSink({ part, encoder, ...(standard && { stage: async () => new StandardOutput() }) })
}

async function encoderOf(
  format: Exclude<FileFormat, 'parquet'>,
  keep: readonly string[],
  standard: boolean,
): Promise<() => ScoredEncoder> {
  switch (format) {
    case 'arrow': {
      const { arrowEncoder } = await import('../arrow/sink.ts')
      return () => arrowEncoder(keep, standard ? 'stream' : 'file')
    }
    case 'csv': {
      const { csvEncoder } = await import('../csv/sink.ts')
      return () => csvEncoder(keep)
    }
    case 'ndjson': {
      const { ndjsonEncoder } = await import('../ndjson/sink.ts')
      return () => ndjsonEncoder(keep)
    }
  }
}
