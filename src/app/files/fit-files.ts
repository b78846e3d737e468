import { type FitDetectorOptions, fitDetector } from '../../detect/fit/fit-detector.ts'
import type { Manifest } from '../../detect/model-file/manifest.ts'
import type { BackendName } from '../../train/backend.ts'
import { batchesOf, type DataOptions, fixedColumns, openData } from './data.ts'
import { writeModelFile } from './model-file.ts'
import { readLabels } from './read-labels.ts'

export interface FitFilesOptions extends DataOptions, Omit<FitDetectorOptions, 'source' | 'signal'> {
  readonly model: string
  /** A file of people's labels, as readLabels says. */
  readonly feedback?: string
  readonly backend?: BackendName | 'auto'
  readonly signal: AbortSignal
}
export interface FitSummary {
  readonly manifest: Manifest
  /** Records that could not be decoded and took no part. */
  readonly rejected: number
  /** Labels that the feedback file gives. */
  readonly labels: number
}

/** Learns from files and writes the model file. Columns that `where` holds constant take no part. */
export async function fitFiles(options: FitFilesOptions): Promise<FitSummary> {
  const { data, where = [], model, signal, ignore = [], feedback, ...rest } = options
  const leftOut = [...new Set([...ignore, ...fixedColumns(where)])]
  const said = feedback === undefined ? { labels: [] } : await readLabels(feedback, leftOut, signal)
  await using source = await openData(options, { ignore: leftOut }, signal)
  let rejected = 0
  const batches = batchesOf(source, signal, (records) => {
    rejected += records.length
  })
  const { artifact, manifest } = await fitDetector(batches, {
    ...rest,
    labels: said.labels,
    ...(said.fields && { labelledFields: said.fields }),
    ignore: leftOut.filter((name) => fixedColumns(where).includes(name)),
    source: data.join(' '),
    signal,
  })
  await writeModelFile(model, artifact)
  return { manifest, rejected, labels: said.labels.length }
}
