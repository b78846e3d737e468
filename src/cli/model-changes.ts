import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { type OutputMode, outputOption } from './arguments.ts'
import { printResult, printRows } from './output.ts'
import { subcommand } from './subcommand.ts'

interface ChangeArguments {
  readonly registry: string
  readonly reason: string
  readonly output: OutputMode
}

/** `models promote`, `models rollback`, `models diff`. */
export function addModelChanges(models: Command): void {
  changing(models, 'promote', 'Make a version the champion: running scorers take it between two batches.')
    .argument('<model>', 'name@version, or name@challenger')
    .option('--reason <text>', 'why, for the model’s history', 'promoted on the command line')
    .action(async (model: string, { registry, reason, output }: ChangeArguments) => {
      const { promoteModel } = await import('../app/models/model-aliases.ts')
      printResult(output, { ...(await promoteModel(registry, model, userInfo().username, reason)) })
    })
  changing(models, 'rollback', 'Make the champion before this one champion again.')
    .argument('<model>', 'its name')
    .option('--reason <text>', 'why, for the model’s history', 'rolled back on the command line')
    .action(async (model: string, { registry, reason, output }: ChangeArguments) => {
      const { rollBackModel } = await import('../app/models/model-aliases.ts')
      printResult(output, { ...(await rollBackModel(registry, model, userInfo().username, reason)) })
    })
  changing(models, 'diff', 'What differs between two versions.')
    .argument('<from>', 'name@version, name@champion or name@challenger')
    .argument('<to>', 'likewise')
    .action(async (from: string, to: string, { registry, output }: ChangeArguments) => {
      const { diffModels } = await import('../app/models/model-aliases.ts')
      const changes = await diffModels(registry, from, to)
      printRows(
        output,
        changes.map((change) => ({ ...change })),
      )
    })
}

function changing(models: Command, name: string, description: string): Command {
  return subcommand(models, name, description)
    .option('--registry <place>', 'a folder of models, or the pipeline.yaml that names one', 'models')
    .addOption(outputOption())
}
