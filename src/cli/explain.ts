import type { Command } from 'commander'
import type { ExplainedRecord } from '../app/files/explain-files.ts'
import { integer, type OutputMode, outputOption, whereOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { print, printRows, shown } from './output.ts'
import { subcommand } from './subcommand.ts'

interface ExplainArguments {
  readonly model: string
  readonly where: string[]
  readonly top: number
  readonly id?: string
  readonly output: OutputMode
}

export function addExplain(program: Command): void {
  subcommand(program, 'explain', 'Show the most surprising records and, field by field, what is to blame.')
    .argument('<data...>', 'Arrow, Parquet, CSV or NDJSON files; patterns; - for standard input')
    .requiredOption('--model <file>', 'the model file')
    .addOption(whereOption())
    .option('--top <number>', 'how many records', integer(1), 10)
    .option('--id <id>', 'one record instead, by its id (path-row)')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  surprisal explain february.parquet --model payments.safetensors --top 3
  surprisal explain february.parquet --model payments.safetensors --id february.parquet-1207`,
    )
    .action(explain)
}

async function explain(data: string[], { output, ...options }: ExplainArguments): Promise<void> {
  const { explainFiles } = await import('../app/files/explain-files.ts')
  const records = await explainFiles({ data, ...options, signal: interruption.signal })
  if (output === 'json') return print(JSON.stringify(records))
  records.forEach((record, i) => {
    if (i > 0) print('')
    printRecord(record)
  })
}

function printRecord(record: ExplainedRecord): void {
  const { id, verdict, severity, p_value, score, reasons, attribution, normal_if } = record
  const head =
    verdict === 'unscored' ? 'unscored' : `${severity ?? verdict}, p ${shown(p_value)}, score ${shown(score)}`
  print(`${shown(id)}: ${head}`)
  for (const reason of reasons) print(`  ${shown(reason)}`)
  if (attribution.length === 0) return
  printRows(
    'table',
    attribution.map((field) => ({
      field: `  ${field.field}`,
      surprise_nats: Number(field.surprise_nats.toFixed(2)),
      value: field.value,
      expected: field.expected,
      normal_range:
        field.normal_low === null ? null : `${shown(field.normal_low)} … ${shown(field.normal_high)}`,
    })),
  )
  for (const { field, value } of normal_if)
    print(`  normal if ${shown(field)} were ${value === null ? 'missing' : shown(value)}`)
}
