import type { Command } from 'commander'
import { integer } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { loadConfig, setOption } from './load-config.ts'
import { subcommand } from './subcommand.ts'

interface TrainerArguments {
  readonly concurrency?: number
  readonly set: string[]
}

export function addTrainer(program: Command): void {
  subcommand(program, 'trainer', 'Work a pipeline’s retraining jobs on this machine, such as one with a GPU.')
    .argument('<pipeline>', 'a pipeline.yaml with queue: { type: bullmq }')
    .option('--concurrency <n>', 'jobs at once (default: queue.concurrency)', integer(1))
    .addOption(setOption())
    .addHelpText(
      'after',
      `
Each fit runs in a process of its own. A job whose trainer is stopped or killed goes on from its checkpoints on
the next trainer that sees the same retrain.checkpoints folder.

Examples:
  surprisal trainer pipeline.yaml
  surprisal trainer pipeline.yaml --concurrency 2 --set model.backend=cuda`,
    )
    .action(async (file: string, { concurrency, set }: TrainerArguments) => {
      const config = await loadConfig(file, set)
      const { pino } = await import('pino')
      const logger = pino({ level: config.log.level, base: { pipeline: config.name } }, pino.destination(2))
      const { runTrainer } = await import('../app/jobs/trainer.ts')
      await runTrainer(config, concurrency === undefined ? {} : { concurrency }, interruption.signal, logger)
    })
}
