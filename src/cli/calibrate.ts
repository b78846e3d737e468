import type { Command } from 'commander'
import { numberIn, type OutputMode, outputOption } from './arguments.ts'
import { printResult } from './output.ts'
import { subcommand } from './subcommand.ts'

interface CalibrateArguments {
  readonly model: string
  readonly rate?: number
  readonly budget?: string
  readonly out?: string
  readonly output: OutputMode
}

export function addCalibrate(program: Command): void {
  subcommand(program, 'calibrate', 'Give a model another false-alarm rate; nothing is fitted again.')
    .requiredOption('--model <file>', 'the model file')
    .option('--rate <share>', 'nominal false alarms per normal record', numberIn(0, 0.5))
    .option('--budget <alarms>', 'instead of a rate, alarms per period: 20/day')
    .option('--out <file>', 'where the new model goes (default: in place)')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Example:
  surprisal calibrate --model payments.safetensors --budget 5/day`,
    )
    .action(async ({ output, ...options }: CalibrateArguments) => {
      const { recalibrate } = await import('../app/files/recalibrate.ts')
      printResult(output, { ...(await recalibrate(options)) })
    })
}
