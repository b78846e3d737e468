import { type Command, Option } from 'commander'
import type { Said } from '../app/open-labels.ts'
import { precisionOf } from '../core/precision.ts'
import { type OutputMode, outputOption } from './arguments.ts'
import { loadConfig, setOption } from './load-config.ts'
import { print, printResult, printRows } from './output.ts'
import { subcommand } from './subcommand.ts'

interface FeedbackArguments {
  readonly set: string[]
  readonly output: OutputMode
}

export function addFeedback(program: Command): void {
  const feedback = subcommand(
    program,
    'feedback',
    'Say which alarms were right: retraining leaves out anomalies and counts false alarms as normal.',
  ).addHelpText(
    'after',
    `
Examples:
  surprisal feedback add pipeline.yaml flights-0-4711 flights-0-4712 --as false_alarm --note 'new route'
  surprisal feedback list pipeline.yaml -o json`,
  )
  addAdd(feedback)
  addList(feedback)
}

function addAdd(feedback: Command): void {
  subcommand(feedback, 'add', 'Label scored records; a later label takes the place of an earlier one.')
    .argument('<pipeline>', 'a pipeline.yaml')
    .argument('<id...>', 'ids of scored records')
    .addOption(
      new Option('--as <label>', 'what they are').choices(['anomaly', 'false_alarm']).makeOptionMandatory(),
    )
    .option('--note <text>', 'why, for those who read it later')
    .addOption(setOption())
    .addOption(outputOption())
    .action(
      async (
        file: string,
        ids: string[],
        {
          as: label,
          note,
          set,
          output,
        }: FeedbackArguments & { readonly as: Said['label']; readonly note?: string },
      ) => {
        const config = await loadConfig(file, set)
        const { openLabels } = await import('../app/open-labels.ts')
        await using labels = await openLabels(config)
        const said = []
        for (const id of ids) said.push({ ...(await labels.say({ id, label, ...(note && { note }) })) })
        printRows(output, said)
      },
    )
}

function addList(feedback: Command): void {
  subcommand(feedback, 'list', 'What people said, and how often they agreed with the alarms.')
    .argument('<pipeline>', 'a pipeline.yaml')
    .addOption(setOption())
    .addOption(outputOption())
    .action(async (file: string, { set, output }: FeedbackArguments) => {
      const config = await loadConfig(file, set)
      const { openLabels } = await import('../app/open-labels.ts')
      await using labels = await openLabels(config)
      const items = await labels.labels()
      const summary = { ...precisionOf(items) }
      if (output === 'json') {
        print(JSON.stringify({ items, summary }))
        return
      }
      printRows(
        output,
        items.map(({ id, label, who, at, note = '' }) => ({ id, label, who, at, note })),
      )
      printResult(output, summary)
    })
}
