import { type FitDetectorOptions, fitDetector } from '../detect/fit-detector.ts'
import type { Manifest } from '../detect/manifest.ts'
import type { BackendName } from '../train/backend.ts'
import { batchesOf, type DataOptions, fixedColumns, openData } from './data.ts'
import { writeModelFile } from './model-file.ts'

export interface FitFilesOptions extends DataOptions, Omit<FitDetectorOptions, 'source' | 'signal'> {
  readonly model: string
  readonly backend?: BackendName | 'auto'
  readonly signal: AbortSignal
}
export interface FitSummary {
  readonly manifest: Manifest
  /** Records that could not be decoded and took no part. */
  readonly rejected: number
}

/** Learns from files and writes the model file. Columns that `where` holds constant take no part. */
export async function fitFiles(options: FitFilesOptions): Promise<FitSummary> {
  const { data, where = [], model, signal, ignore = [], ...rest } = options
  const leftOut = [...new Set([...ignore, ...fixedColumns(where)])]
  await using source = await openData(options, { ignore: leftOut }, signal)
  let rejected = 0
  const batches = batchesOf(source, signal, (records) => {
    rejected += records.length
  })
  const { artifact, manifest } = await fitDetector(batches, {
    ...rest,
    ignore: leftOut.filter((name) => fixedColumns(where).includes(name)),
    source: data.join(' '),
    signal,
  })
  await writeModelFile(model, artifact)
  return { manifest, rejected }
}
