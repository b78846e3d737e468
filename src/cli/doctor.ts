import type { Command } from 'commander'
import { type OutputMode, outputOption } from './arguments.ts'
import { print, printResult, printRows } from './output.ts'
import { subcommand } from './subcommand.ts'

export function addDoctor(program: Command): void {
  subcommand(program, 'doctor', 'Say what this machine offers: Node, kernel, compute backends.')
    .addOption(outputOption())
    .action(async ({ output }: { readonly output: OutputMode }) => {
      const { examine } = await import('../app/examine.ts')
      const { machine, backends } = await examine()
      if (output === 'json') return print(JSON.stringify({ ...machine, backends }))
      printResult('table', machine)
      print('')
      printRows(
        'table',
        backends.map(({ name, available, device, reason }) => ({ backend: name, available, device, reason })),
      )
    })
}
