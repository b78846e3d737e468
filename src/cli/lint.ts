import type { Command } from 'commander'
import { note, print } from './output.ts'
import { subcommand } from './subcommand.ts'

export function addLint(program: Command): void {
  subcommand(program, 'lint', 'Check pipeline files: every fault with its line and what was probably meant.')
    .argument('<pipeline...>', 'pipeline.yaml files')
    .option('--set <setting=value>', 'another value for a setting (repeatable)', collect, [])
    .addHelpText(
      'after',
      `
Example:
  surprisal lint pipeline.yaml`,
    )
    .action(async (files: string[], { set }: { readonly set: string[] }) => {
      const { loadPipeline } = await import('../../config/load.ts')
      const { adviceOn } = await import('../../config/advice.ts')
      for (const file of files) {
        for (const advice of adviceOn(loadPipeline(file, { set }))) note(`${file}: ${advice}`)
        print(`${file}: ok`)
      }
    })
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}
