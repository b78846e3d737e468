import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import { stringify } from 'yaml'
import { StagedFile } from '../../connectors/files/staged-file.ts'
import { StandardOutput } from '../../connectors/files/standard-output.ts'
import { SurprisalError } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import { type ColumnProfile, profileColumns } from '../features/profile.ts'
import { batchesOf, openData } from './data.ts'

export interface InitOptions {
  readonly data: readonly string[]
  readonly out: string
  readonly name?: string
  readonly force?: boolean
  readonly signal: AbortSignal
}

const SAMPLE_ROWS = 200_000

/** Profiles the first records and writes a pipeline file that says what was found. USAGE where the file exists. */
export async function initPipeline({ data, out, name, force, signal }: InitOptions): Promise<void> {
  if (out !== '-' && !force && (await exists(out)))
    throw new SurprisalError('USAGE', `${out} exists; --force overwrites it, --out writes elsewhere`)
  const batches = await firstBatches(data, signal)
  const profiles = profileColumns(batches)
  if (profiles.length === 0)
    throw new SurprisalError('FILE_EMPTY', `${data.join(', ')}: there are no records`)
  const text = pipelineText(name ?? nameOf(data[0]), data, profiles)
  const staged = out === '-' ? new StandardOutput() : await StagedFile.create(out)
  await staged.write([Buffer.from(text)])
  await staged.commit()
}

async function firstBatches(data: readonly string[], signal: AbortSignal): Promise<RecordBatch[]> {
  await using source = await openData({ data }, {}, signal)
  const batches: RecordBatch[] = []
  let rows = 0
  for await (const batch of batchesOf(source, signal, () => {})) {
    batches.push(batch)
    rows += batch.rows
    if (rows >= SAMPLE_ROWS) break
  }
  return batches
}

function pipelineText(name: string, data: readonly string[], profiles: readonly ColumnProfile[]): string {
  const time = profiles.find(({ kind }) => kind === 'timestamp')?.field
  const identifiers = profiles.filter(({ kind }) => kind === 'identifier').map(({ field }) => field)
  const value = (text: unknown) => stringify(text).trim()
  const kinds = profiles.map(
    ({ field, kind, why, missing, rows }) =>
      `  #   ${value(field)}: ${kind}  (${oneLine(why)}${missing === 0 ? '' : `; ${Math.round((100 * missing) / rows)} % missing`})`,
  )
  return `# yaml-language-server: $schema=node_modules/surprisal/config/schema.json
name: ${value(name)}
source:
  type: file
  paths:
${data.map((path) => `    - ${value(path)}`).join('\n')}
features:
  # What the rules found in ${profiles[0].rows.toLocaleString('en')} records. To decide otherwise, name the column under \`columns:\`
  # with another kind, under \`context:\` to condition on it without modelling it, or under \`ignore:\`.
${kinds.join('\n')}
  ignore: ${identifiers.length === 0 ? '[]' : `[${identifiers.map(value).join(', ')}]`}
${time === undefined ? '  # time: the column of the event time\n' : `  time: ${value(time)}\n`}model:
  # Share of the training data that may be anomalous; such records are left out of the fit.
  contamination: 0
alerts:
  # Nominal false alarms per normal record; or budget: 20/day
  rate: 0.001
sinks:
  - type: file
    path: scored/
store:
  type: duckdb
  path: scores.duckdb
retrain:
  # schedule: 0 3 * * 1
  drift: warn
api:
  listen: 127.0.0.1:8080
`
}

function nameOf(path: string): string {
  const stem = basename(path)
    .toLowerCase()
    .replace(/\.[a-z0-9.]+$/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 64)
  return stem === '' ? 'pipeline' : stem
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
