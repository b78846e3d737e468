import type { Command } from 'commander'
import { type OutputMode, outputOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { printResult } from './output.ts'
import { subcommand } from './subcommand.ts'

interface EvaluateArguments {
  readonly label: string
  readonly output: OutputMode
}

export function addEvaluate(program: Command): void {
  subcommand(
    program,
    'evaluate',
    'Compare scores with labels: ranking, and realised against nominal alarm rate.',
  )
    .argument('<scored...>', 'output of surprisal score, with the label column kept')
    .requiredOption('--label <column>', 'column with 1 for anomalies and 0 for normal records')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Example:
  surprisal score test.csv --model m.safetensors --out scored.arrow --keep label
  surprisal evaluate scored.arrow --label label -o json`,
    )
    .action(async (scored: string[], { label, output }: EvaluateArguments) => {
      const { evaluateFiles } = await import('../app/evaluate-files.ts')
      printResult(output, { ...(await evaluateFiles(scored, label, interruption.signal)) })
    })
}
