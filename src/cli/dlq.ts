import type { Command } from 'commander'
import { type OutputMode, outputOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { printResult, printRows } from './output.ts'
import { subcommand } from './subcommand.ts'
import { warnings } from './warnings.ts'

export function addDlq(program: Command): void {
  const dlq = subcommand(program, 'dlq', 'Look at records that could not be decoded, and send them back.')
  subcommand(dlq, 'list', 'Dead letters of a pipeline, oldest first.')
    .argument('<pipeline>', 'a pipeline.yaml')
    .option('--limit <n>', 'at most this many', Number, 100)
    .addOption(outputOption())
    .action(
      async (file: string, { limit, output }: { readonly limit: number; readonly output: OutputMode }) => {
        const { loadPipeline } = await import('../../config/load.ts')
        const { listDeadLetters } = await import('../app/stream/dead-letters.ts')
        const { signal } = interruption
        printRows(
          output,
          await listDeadLetters(loadPipeline(file), { limit, signal, logger: await warnings() }),
        )
      },
    )
  subcommand(
    dlq,
    'replay',
    'Send dead letters back to the topics they came from, after the cause was repaired.',
  )
    .argument('<pipeline>', 'a pipeline.yaml')
    .argument('[place...]', 'which ones, as `dlq list` names them; all where none is named')
    .addOption(outputOption())
    .action(async (file: string, places: string[], { output }: { readonly output: OutputMode }) => {
      const { loadPipeline } = await import('../../config/load.ts')
      const { replayDeadLetters } = await import('../app/stream/dead-letters.ts')
      const { signal } = interruption
      const replayed = await replayDeadLetters(loadPipeline(file), {
        places,
        signal,
        logger: await warnings(),
      })
      printResult(output, { replayed })
    })
}
