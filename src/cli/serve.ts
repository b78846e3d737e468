import type { Command } from 'commander'
import { interruption } from './interrupt.ts'
import { loadConfig, setOption } from './load-config.ts'
import { subcommand } from './subcommand.ts'

export function addServe(program: Command): void {
  subcommand(program, 'serve', 'Serve the HTTP API and the page over what other processes score and train.')
    .argument('<pipeline>', 'a pipeline.yaml with an api: section')
    .addOption(setOption())
    .addHelpText(
      'after',
      `
Examples:
  surprisal serve pipeline.yaml
  surprisal serve pipeline.yaml --set api.listen=0.0.0.0:8080`,
    )
    .action(async (file: string, { set }: { readonly set: string[] }) => {
      const config = await loadConfig(file, set)
      const { pino } = await import('pino')
      const logger = pino({ level: config.log.level, base: { pipeline: config.name } }, pino.destination(2))
      const { serveApi } = await import('../app/http/serve-api.ts')
      await serveApi(config, interruption.signal, logger)
    })
}
