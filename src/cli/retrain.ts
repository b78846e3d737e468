import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { RetrainJob } from '../core/ports.ts'
import { integer, type OutputMode, outputOption } from './arguments.ts'
import { interruption } from './interrupt.ts'
import { loadConfig, setOption } from './load-config.ts'
import { note, printResult } from './output.ts'
import { startProgress } from './progress.ts'
import { subcommand } from './subcommand.ts'

interface RetrainArguments {
  readonly reason: string
  readonly priority?: number
  readonly wait: boolean
  readonly set: string[]
  readonly output: OutputMode
}

export function addRetrain(program: Command): void {
  subcommand(program, 'retrain', 'Ask for a new model; where a job is open already, that one is returned.')
    .argument('<pipeline>', 'a pipeline.yaml')
    .option('--reason <text>', 'why, for the job and the model’s history', 'asked for on the command line')
    .option('--priority <n>', 'the least is worked first (default: 100)', integer(1))
    .option('--wait', 'show progress until the job has ended', false)
    .addOption(setOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
With queue.type memory the job goes to the running surprisal run, through its api.listen.

Examples:
  surprisal retrain pipeline.yaml --reason 'new tariff since Monday'
  surprisal retrain pipeline.yaml --wait -o json`,
    )
    .action(retrain)
}

async function retrain(
  file: string,
  { reason, priority, wait, set, output }: RetrainArguments,
): Promise<void> {
  const config = await loadConfig(file, set)
  const { jobEnd, openJobs } = await import('../app/jobs/open-jobs.ts')
  await using jobs = await openJobs(config)
  const job = await jobs.enqueue({
    pipeline: config.name,
    trigger: 'cli',
    reason,
    who: userInfo().username,
    ...(priority !== undefined && { priority }),
  })
  if (!wait) {
    printJob(output, job)
    return
  }
  note(`job ${job.id}`)
  using progress = await startProgress('retrain')
  const ended = await jobEnd(jobs, job.id, interruption.signal, (seen) =>
    progress.update({
      fraction: seen.progress.fraction,
      message: [seen.progress.stage, seen.progress.message].filter((text) => text !== undefined).join(': '),
    }),
  )
  progress[Symbol.dispose]()
  printJob(output, ended)
}

/** A job with its outcome; its log only where the output is for machines. */
export function printJob(output: OutputMode, job: RetrainJob): void {
  if (output === 'json') {
    printResult('json', { ...job })
    return
  }
  const { request, progress, result, log: _, ...rest } = job
  const { version, decision, promoted } = result ?? {}
  printResult('table', {
    ...rest,
    trigger: request.trigger,
    reason: request.reason,
    who: request.who,
    stage: progress.stage,
    progress: `${Math.floor(100 * progress.fraction)} %`,
    ...(result && { version, promoted, decision }),
  })
}
