import type { Command } from 'commander'
import type { BacktestReport } from '../retrain/backtest.ts'
import { integer, numberIn, type OutputMode, outputOption, whereOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { print, printResult, printRows } from './output.ts'
import { subcommand } from './subcommand.ts'
import { warnings } from './warnings.ts'

interface BacktestArguments {
  readonly where: string[]
  readonly model: string
  readonly against?: string
  readonly registry: string
  readonly rate?: number
  readonly limit: number
  readonly seed: number
  readonly time?: string
  readonly entity?: string
  readonly pipeline?: string
  readonly output: OutputMode
}

export function addBacktest(program: Command): void {
  subcommand(
    program,
    'backtest',
    'What a model would have said about past records, or how two models differ.',
  )
    .argument('<data...>', 'files of records; or a pipeline.yaml, for its training window')
    .requiredOption('--model <model>', 'a model file, or name@version, name@champion, name@challenger')
    .option('--against <model>', 'a second model, compared record by record')
    .option('--registry <place>', 'a folder of models, or the pipeline.yaml that names one', 'models')
    .addOption(whereOption())
    .option('--rate <share>', 'another nominal false-alarm rate than the models’', numberIn(0, 0.5))
    .option('--pipeline <file>', 'a pipeline.yaml whose rules hold: rate, suppress, watch')
    .option('--limit <n>', 'differing records that are listed', integer(0), 20)
    .option('--seed <number>', 'which faults are planted, and where', integer(0), 1)
    .option('--time <column>', 'column of the event time (default: the first timestamp)')
    .option('--entity <column>', 'column that names who a record is about')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Canaries are faults planted in copies of the records: changed units, swapped columns, unknown categories and more.

Examples:
  surprisal backtest march.parquet --model payments.safetensors
  surprisal backtest pipeline.yaml --model payments@4 --against payments@champion --registry pipeline.yaml
  surprisal backtest march.csv --model new.safetensors --against old.safetensors --limit 1000 -o json`,
    )
    .action(async (data: string[], { output, ...given }: BacktestArguments) => {
      const { backtestData } = await import('../app/files/backtest-data.ts')
      const { signal } = interruption
      const report = await backtestData({ ...given, data, signal, logger: await warnings() })
      if (output === 'json') printResult('json', { ...report })
      else printReport(report)
    })
}

function printReport({ models, from, to, difference }: BacktestReport): void {
  if (from !== null && to !== null) print(`${from} to ${to}\n`)
  printRows(
    'table',
    models.map(({ calibration: _, entities, ...model }) => ({ ...model, ...entities })),
  )
  print('\nrealised share of records with p ≤ nominal rate')
  printRows(
    'table',
    models[0].calibration.map(({ nominal }, i) => ({
      nominal,
      ...Object.fromEntries(models.map(({ model, calibration }) => [model, calibration[i].realised])),
    })),
  )
  if (difference === undefined) return
  const { both, only_model, only_against, records } = difference
  print(`\nalarms of both: ${both}, of --model alone: ${only_model}, of --against alone: ${only_against}`)
  if (records.length > 0)
    printRows(
      'table',
      records.map((record) => ({ ...record })),
    )
}
