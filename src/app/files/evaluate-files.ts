import { openFiles } from '../../../connectors/files/open.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { Precision } from '../../core/ports.ts'
import { precisionOf } from '../../core/precision.ts'
import { cell, columnNamed, type RecordBatch } from '../../core/record.ts'
import { type Evaluation, evaluate } from '../../detect/evaluate.ts'
import { batchesOf } from './data.ts'
import { readLabels } from './read-labels.ts'

export interface FileEvaluation extends Evaluation {
  /** Scored records without a score; they are not counted elsewhere. */
  readonly unscored: number
}

/**
 * Ranks the `score` column of scored files against labels (1 or true anomaly, 0 or false normal). USAGE on another
 * label or where the files were scored at different rates.
 */
export async function evaluateFiles(
  paths: readonly string[],
  label: string,
  signal: AbortSignal,
): Promise<FileEvaluation> {
  const columns = ['score', 'p_value', 'threshold', label]
  await using source = await openFiles(paths, { columns }, signal)
  const scores: number[] = []
  const pValues: number[] = []
  const labels: number[] = []
  let rate: number | undefined
  for await (const batch of batchesOf(source, signal, () => {})) {
    rate ??= numberAt(batch, 'threshold', 0)
    for (let row = 0; row < batch.rows; row++) {
      const threshold = numberAt(batch, 'threshold', row)
      if (threshold !== rate)
        throw new SurprisalError(
          'USAGE',
          `the records were scored at different rates (${rate} and ${threshold}): evaluate them apart`,
        )
      scores.push(numberAt(batch, 'score', row))
      pValues.push(numberAt(batch, 'p_value', row))
      labels.push(labelOf(cell(columnNamed(batch, label), row), label))
    }
  }
  const unscored = scores.reduce((sum, score) => sum + (Number.isNaN(score) ? 1 : 0), 0)
  return { ...evaluate(scores, pValues, labels, rate ?? Number.NaN), unscored }
}

/**
 * How often people's labels of scored records (`readLabels`, by id) agree with the alarms: labels of records that the
 * scored files flag. USAGE where the labels name records by their fields, which scores do not have.
 */
export async function judgedPrecision(
  paths: readonly string[],
  feedback: string,
  signal: AbortSignal,
): Promise<Precision> {
  const { labels, fields } = await readLabels(feedback, [], signal)
  if (fields !== undefined)
    throw new SurprisalError('USAGE', `${feedback} has no column "id": scores are labelled by their id`)
  const said = new Map(labels.map((label) => [label.id, label]))
  await using source = await openFiles(paths, { columns: ['id', 'verdict'] }, signal)
  const judged = []
  for await (const batch of batchesOf(source, signal, () => {})) {
    for (let row = 0; row < batch.rows; row++) {
      const label = said.get(String(cell(columnNamed(batch, 'id'), row)))
      if (label !== undefined && cell(columnNamed(batch, 'verdict'), row) === 'anomaly') judged.push(label)
    }
  }
  return precisionOf(judged)
}

function numberAt(batch: RecordBatch, name: string, row: number): number {
  const value = cell(columnNamed(batch, name), row)
  return typeof value === 'number' ? value : Number.NaN
}

function labelOf(value: unknown, column: string): number {
  if (value === 1 || value === true || value === '1' || value === 'true') return 1
  if (value === 0 || value === false || value === '0' || value === 'false') return 0
  throw new SurprisalError(
    'USAGE',
    `the label column "${column}" holds ${JSON.stringify(value)}; labels are 1 (or true) for anomalies and 0 (or false) for normal records`,
  )
}
