import type { Command } from 'commander'
import { SurprisalError } from '../core/errors.ts'
import { type OutputMode, outputOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { printResult } from './output.ts'
import { subcommand } from './subcommand.ts'

interface EvaluateArguments {
  readonly label?: string
  readonly feedback?: string
  readonly output: OutputMode
}

export function addEvaluate(program: Command): void {
  subcommand(
    program,
    'evaluate',
    'Compare scores with labels: ranking, and realised against nominal alarm rate.',
  )
    .argument('<scored...>', 'output of surprisal score, with the label column kept')
    .option('--label <column>', 'column with 1 for anomalies and 0 for normal records')
    .option('--feedback <file>', 'file of ids and labels (anomaly, false_alarm): how many alarms were right')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Example:
  surprisal score test.csv --model m.safetensors --out scored.arrow --keep label
  surprisal evaluate scored.arrow --label label -o json
  surprisal evaluate scored.arrow --feedback judged.csv`,
    )
    .action(async (scored: string[], { label, feedback, output }: EvaluateArguments) => {
      if (label === undefined && feedback === undefined)
        throw new SurprisalError('USAGE', 'give --label <column>, --feedback <file>, or both')
      const { evaluateFiles, judgedPrecision } = await import('../app/files/evaluate-files.ts')
      const { signal } = interruption
      const judged = feedback !== undefined && (await judgedPrecision(scored, feedback, signal))
      printResult(output, {
        ...(label !== undefined && (await evaluateFiles(scored, label, signal))),
        ...(judged && (label === undefined ? judged : { judged })),
      })
    })
}
