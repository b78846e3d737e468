import type { Command } from 'commander'
import { interruption } from './interrupt.ts'
import { note } from './output.ts'
import { subcommand } from './subcommand.ts'

interface InitArguments {
  readonly out: string
  readonly brokers?: string
  readonly topic?: string
  readonly name?: string
  readonly force?: boolean
}

export function addInit(program: Command): void {
  subcommand(program, 'init', 'Profile a sample of the data and write a commented pipeline.yaml.')
    .argument('[data...]', 'Arrow, Parquet, CSV or NDJSON files; patterns')
    .option('--brokers <host:port>', 'instead of files: Kafka brokers')
    .option('--topic <topic>', 'and the topic to sample')
    .option('--out <file>', 'the file to write, - for standard output', 'pipeline.yaml')
    .option('--name <name>', 'the pipeline’s name (default: from the first file)')
    .option('--force', 'overwrite the file')
    .addHelpText(
      'after',
      `
Examples:
  surprisal init payments.parquet && surprisal lint pipeline.yaml
  surprisal init --brokers localhost:9092 --topic payments`,
    )
    .action(async (data: string[], options: InitArguments) => {
      const { initPipeline } = await import('../app/init-pipeline.ts')
      await initPipeline({ data, ...options, signal: interruption.signal })
      if (options.out !== '-') note(`${options.out} is written; read it, then: surprisal lint ${options.out}`)
    })
}
