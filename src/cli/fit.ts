import { type Command, Option } from 'commander'
import { addedColumns, type WindowField } from '../features/windows/window-spec.ts'
import { windowFields } from '../features/windows/window-terms.ts'
import { integer, list, numberIn, type OutputMode, outputOption, whereOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { note, printResult } from './output.ts'
import { startProgress } from './progress.ts'
import { subcommand } from './subcommand.ts'

interface FitArguments {
  readonly where: string[]
  readonly ignore?: string[]
  readonly context?: string[]
  readonly window?: WindowField[]
  readonly sincePrevious: boolean
  readonly clock: boolean
  readonly flow: 'real-nvp' | 'glow'
  readonly contamination: number
  readonly feedback?: string
  readonly seed: number
  readonly backend: 'auto' | 'kernel' | 'cpu' | 'node' | 'cuda' | 'webgpu'
  readonly rate?: number
  readonly budget?: string
  readonly maxRows: number
  readonly effort: number
  readonly time?: string
  readonly entity?: string
  readonly model: string
  readonly output: OutputMode
}

export function addFit(program: Command): void {
  subcommand(program, 'fit', 'Learn what normal records look like and write a model file.')
    .argument('<data...>', 'Arrow, Parquet, CSV or NDJSON files; patterns; - for standard input')
    .requiredOption('--model <file>', 'the model file to write (.safetensors)')
    .addOption(whereOption())
    .option('--ignore <columns>', 'columns that take no part, separated by commas', list)
    .option('--context <columns>', 'columns to condition on without modelling them', list)
    .option(
      '--window <fields:terms>',
      'look back per entity (repeatable): "cpu,memory: difference 1, mean 12, std 1h, season 1d"',
      (text: string, earlier: readonly WindowField[] = []) => [...earlier, ...windowFields(text)],
    )
    .option('--since-previous', 'look back on the time since the entity’s previous record', false)
    .option('--no-clock', 'leave out how far a record’s time is from the stream’s own clock')
    .addOption(
      new Option('--flow <flow>', 'flow architecture').choices(['real-nvp', 'glow']).default('real-nvp'),
    )
    .option('--contamination <share>', 'share of the data that is anomalous, 0 to 0.5', numberIn(0, 0.5), 0)
    .option('--feedback <file>', 'labels (anomaly, false_alarm) of records, by id or by their fields')
    .option('--seed <number>', 'same data, options and seed: same model', integer(0), 0)
    .addOption(
      new Option('--backend <name>', 'what trains')
        .choices(['auto', 'kernel', 'cpu', 'node', 'cuda', 'webgpu'])
        .default('auto'),
    )
    .option('--rate <share>', 'nominal false alarms per normal record (default 0.001)', numberIn(0, 0.5))
    .option('--budget <alarms>', 'instead of a rate, alarms per period: 20/day')
    .option('--max-rows <number>', 'records learned from at most, a sample of more', integer(20), 250_000)
    .option('--effort <share>', 'share of the training length, above 0 and up to 1', numberIn(0, 1), 1)
    .option('--time <column>', 'column of the event time (default: the first timestamp)')
    .option('--entity <column>', 'column that names who a record is about')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  surprisal fit january.parquet --model payments.safetensors
  surprisal fit 'data/2024-*.arrow' --ignore id,comment --budget 20/day --model payments.safetensors
  surprisal fit servers.arrow --entity host --window 'cpu,memory: difference 1, mean 12' --model servers.safetensors
  surprisal fit all.csv --where label=0 --model normal.safetensors -o json`,
    )
    .action(fit)
}

async function fit(data: string[], given: FitArguments): Promise<void> {
  const { fitFiles } = await import('../app/files/fit-files.ts')
  const { output, context = [], window: fields = [], sincePrevious, clock, ...options } = given
  using progress = await startProgress('fit')
  const { manifest, rejected, labels } = await fitFiles({
    ...options,
    data,
    windows: { fields, sincePrevious, clock },
    overrides: Object.fromEntries(context.map((column) => [column, { context: true }])),
    signal: interruption.signal,
    onProgress: ({ fraction, message, stage }) =>
      progress.update({ fraction, message: message === undefined ? stage : `${stage}: ${message}` }),
  })
  progress[Symbol.dispose]()
  for (const text of manifest.notes) note(`note: ${text}`)
  if (rejected > 0) note(`note: ${rejected} records could not be read and took no part`)
  const { anomalies = 0, false_alarms = 0 } = manifest.lineage.labelled ?? {}
  const found = anomalies + false_alarms
  if (found < labels) note(`note: ${labels} labels were given, ${found} records have one`)
  printResult(output, {
    model: given.model,
    records: manifest.lineage.records,
    used: manifest.lineage.used,
    unscored: manifest.lineage.unscored,
    rejected,
    ...(given.feedback !== undefined && { labelled_anomalies: anomalies, false_alarms }),
    looks_back: manifest.windows === undefined ? [] : addedColumns(manifest.windows).map(({ name }) => name),
    fields: manifest.fields.filter(({ role }) => role !== 'ignored').length,
    ignored: manifest.fields.filter(({ role }) => role === 'ignored').map(({ field }) => field),
    members: manifest.members.length,
    engine: manifest.engine,
    nominal_rate: manifest.alerts.rate,
    gate_nll: manifest.metrics.gate_nll,
    gate_rate: manifest.metrics.gate_rate,
    seconds: Number(manifest.metrics.seconds.toFixed(3)),
  })
}
