import { openFiles } from '../../../connectors/files/open.ts'
import { contentIdOf } from '../../core/content-id.ts'
import { SurprisalError } from '../../core/errors.ts'
import { cell, columnNamed, type RecordBatch } from '../../core/record.ts'
import type { RecordLabel } from '../../detect/rules/feedback.ts'
import { batchesOf } from './data.ts'

export interface LabelFile {
  readonly labels: readonly RecordLabel[]
  /** The fields that name a record by its content; undefined where the file has ids. */
  readonly fields?: readonly string[]
}

/** Columns of a label file that say something about the label. */
const ABOUT = ['label', 'note', 'who', 'at', 'pipeline']

/**
 * Reads a file of people's judgements: a column `label` (anomaly, false_alarm, or empty where nobody judged), and the
 * `id` of the scored record or the record's own fields, all but those that the fit ignores.
 * @throws SurprisalError USAGE for another label, SCHEMA_MISMATCH without the column, FILE_*
 */
export async function readLabels(
  path: string,
  ignored: readonly string[],
  signal: AbortSignal,
): Promise<LabelFile> {
  await using source = await openFiles([path], {}, signal)
  const labels: RecordLabel[] = []
  let fields: readonly string[] | undefined
  for await (const batch of batchesOf(source, signal, () => {})) {
    const named = batch.columns.has('id')
    const without = [...ABOUT, ...ignored]
    if (!named) fields = [...batch.columns.keys()].filter((name) => !without.includes(name))
    for (let row = 0; row < batch.rows; row++) {
      const label = labelAt(batch, row, path)
      if (label === null) continue
      const id = named ? String(cell(columnNamed(batch, 'id'), row)) : contentIdOf(batch, row, fields)
      labels.push({ id, label })
    }
  }
  return { labels, ...(fields && { fields }) }
}

function labelAt(batch: RecordBatch, row: number, path: string): RecordLabel['label'] | null {
  const value = cell(columnNamed(batch, 'label'), row)
  if (value === null || value === '') return null
  if (value === 'anomaly' || value === 'false_alarm') return value
  throw new SurprisalError(
    'USAGE',
    `${path}: the label is ${JSON.stringify(value)}; it is anomaly, false_alarm, or empty where nobody judged`,
  )
}
