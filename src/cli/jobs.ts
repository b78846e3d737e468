import { type Command, Option } from 'commander'
import type { Jobs } from '../app/jobs/http-jobs.ts'
import type { JobState, RetrainJob } from '../core/ports.ts'
import { integer, type OutputMode, outputOption } from './arguments.ts'
import { loadConfig, setOption } from './load-config.ts'
import { print, printRows } from './output.ts'
import { printJob } from './retrain.ts'
import { subcommand } from './subcommand.ts'

interface JobsArguments {
  readonly set: string[]
  readonly output: OutputMode
}
const STATES: readonly JobState[] = ['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled']

export function addJobs(program: Command): void {
  const jobs = subcommand(program, 'jobs', 'Look at retraining jobs, stop them, try them again.').addHelpText(
    'after',
    `
Examples:
  surprisal jobs list pipeline.yaml
  surprisal jobs list pipeline.yaml --state failed -o json
  surprisal jobs show pipeline.yaml 12
  surprisal jobs cancel pipeline.yaml 12`,
  )
  addList(jobs)
  addOne(jobs, 'show', 'One job with its log.', async (open, id) => (await app()).jobOf(open, id))
  addOne(jobs, 'cancel', 'Stop a job; a running fit ends within seconds.', async (open, id) => {
    const { jobOf } = await app()
    await jobOf(open, id)
    await open.cancel(id)
    return jobOf(open, id)
  })
  addOne(jobs, 'retry', 'Try a failed or cancelled job again.', async (open, id) =>
    (await app()).retryJob(open, id),
  )
}

function addList(jobs: Command): void {
  subcommand(jobs, 'list', 'Jobs, newest first.')
    .argument('<pipeline>', 'a pipeline.yaml')
    .addOption(new Option('--state <state>', 'only these').choices(STATES))
    .option('--limit <n>', 'at most this many', integer(1), 20)
    .addOption(setOption())
    .addOption(outputOption())
    .action(
      async (
        file: string,
        { state, limit, set, output }: JobsArguments & { readonly state?: JobState; readonly limit: number },
      ) => {
        const config = await loadConfig(file, set)
        await using open = await (await app()).openJobs(config)
        const filter = { pipeline: config.name, limit, ...(state && { states: [state] }) }
        const found = await open.jobs(filter)
        printRows(output, output === 'json' ? found.map((job) => ({ ...job })) : found.map(rowOf))
      },
    )
}

function rowOf({ id, state, request, attempts, created_at, progress }: RetrainJob) {
  return {
    id,
    state,
    trigger: request.trigger,
    reason: request.reason,
    attempts,
    created_at,
    stage: progress.stage,
    progress: `${Math.floor(100 * progress.fraction)} %`,
  }
}

function addOne(
  jobs: Command,
  name: string,
  description: string,
  act: (open: Jobs, id: string) => Promise<RetrainJob>,
): void {
  subcommand(jobs, name, description)
    .argument('<pipeline>', 'a pipeline.yaml')
    .argument('<job>', 'its id, as `jobs list` shows it')
    .addOption(setOption())
    .addOption(outputOption())
    .action(async (file: string, id: string, { set, output }: JobsArguments) => {
      const config = await loadConfig(file, set)
      await using open = await (await app()).openJobs(config)
      const job = await act(open, id)
      printJob(output, job)
      if (output === 'table' && name === 'show') for (const line of job.log) print(`  ${line}`)
    })
}

function app() {
  return import('../app/jobs/open-jobs.ts')
}
