import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import { stringify } from 'yaml'
import { StagedFile } from '../../connectors/files/staged-file.ts'
import { StandardOutput } from '../../connectors/files/standard-output.ts'
import { SurprisalError } from '../core/errors.ts'
import type { RecordBatch } from '../core/record.ts'
import { type ColumnProfile, profileColumns } from '../features/profile/profile.ts'
import { batchesOf, openData } from './files/data.ts'
import { sampleTopic } from './stream/sample-topic.ts'

export interface InitOptions {
  /** Files to sample; or a topic, with its brokers. */
  readonly data: readonly string[]
  readonly brokers?: string
  readonly topic?: string
  readonly out: string
  readonly name?: string
  readonly force?: boolean
  readonly signal: AbortSignal
}

const SAMPLE_ROWS = 200_000

/** Profiles the first records and writes a pipeline file that says what was found. USAGE where the file exists. */
export async function initPipeline(options: InitOptions): Promise<void> {
  const { data, brokers, topic, out, name, force, signal } = options
  if (data.length > 0 === (topic !== undefined) || (topic === undefined) !== (brokers === undefined))
    throw new SurprisalError('USAGE', 'name either files, or a topic with --brokers and --topic')
  if (out !== '-' && !force && (await exists(out)))
    throw new SurprisalError('USAGE', `${out} exists; --force overwrites it, --out writes elsewhere`)
  const batches =
    brokers !== undefined && topic !== undefined
      ? await sampleTopic(brokers, topic, SAMPLE_ROWS, signal)
      : await firstBatches(data, signal)
  const profiles = profileColumns(batches)
  if (profiles.length === 0)
    throw new SurprisalError('FILE_EMPTY', `${topic ?? data.join(', ')}: there are no records`)
  const origin =
    brokers !== undefined && topic !== undefined ? topicText(brokers, topic, profiles) : filesText(data)
  const text = pipelineText(name ?? nameOf(topic ?? data[0]), origin, profiles)
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

interface OriginText {
  readonly source: string
  readonly sinks: string
}

function filesText(data: readonly string[]): OriginText {
  const paths = data.map((path) => `    - ${stringify(path).trim()}`).join('\n')
  return { source: `source:\n  type: file\n  paths:\n${paths}`, sinks: '  - type: file\n    path: scored/' }
}

function topicText(brokers: string, topic: string, profiles: readonly ColumnProfile[]): OriginText {
  const fields = profiles
    .filter(({ kind }) => kind !== 'identifier')
    .map(({ field }) => stringify(field).trim())
  return {
    source: `kafka:
  bootstrap.servers: ${stringify(brokers).trim()}
source:
  type: kafka
  topics: [${stringify(topic).trim()}]
  start: earliest
  fields: [${fields.join(', ')}]`,
    sinks:
      '  # Scores to <topic>.scored, anomalies to <topic>.anomalies, undecodable records to <topic>.dlq.\n  - type: kafka',
  }
}

function pipelineText(name: string, origin: OriginText, profiles: readonly ColumnProfile[]): string {
  const time = profiles.find(({ kind }) => kind === 'timestamp')?.field
  const identifiers = profiles.filter(({ kind }) => kind === 'identifier').map(({ field }) => field)
  const value = (text: unknown) => stringify(text).trim()
  const kinds = profiles.map(
    ({ field, kind, why, missing, rows }) =>
      `  #   ${value(field)}: ${kind}  (${oneLine(why)}${missing === 0 ? '' : `; ${Math.round((100 * missing) / rows)} % missing`})`,
  )
  return `# yaml-language-server: $schema=node_modules/surprisal/config/schema.json
name: ${value(name)}
${origin.source}
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
${origin.sinks}
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
