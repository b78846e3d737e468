import type { Command } from 'commander'
import { interruption } from './interrupt.ts'
import { loadConfig, setOption } from './load-config.ts'
import { subcommand } from './subcommand.ts'

export function addRun(program: Command): void {
  subcommand(program, 'run', 'Score a stream: read, score, write and acknowledge until told to stop.')
    .argument('<pipeline>', 'a pipeline.yaml')
    .addOption(setOption())
    .addHelpText(
      'after',
      `
SIGTERM drains what is in flight and commits it. SIGHUP reads the file again and applies what can change in flight.
Several processes may run the same file: they share the work.

Examples:
  surprisal run pipeline.yaml
  surprisal run pipeline.yaml --set log.level=debug --set api.listen=0.0.0.0:8080`,
    )
    .action(async (file: string, { set }: { readonly set: string[] }) => {
      const config = await loadConfig(file, set)
      const { pino } = await import('pino')
      const logger = pino({ level: config.log.level, base: { pipeline: config.name } }, pino.destination(2))
      const { runPipelineFile } = await import('../app/stream/run-pipeline.ts')
      await runPipelineFile(config, interruption.signal, logger, () => loadConfig(file, set))
    })
}
