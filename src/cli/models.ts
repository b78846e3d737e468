import type { Command } from 'commander'
import { type OutputMode, outputOption } from './arguments.ts'
import { addModelChanges } from './model-changes.ts'
import { print, printResult, printRows } from './output.ts'
import { subcommand } from './subcommand.ts'

interface ModelsArguments {
  readonly registry: string
  readonly output: OutputMode
}

export function addModels(program: Command): void {
  const models = subcommand(program, 'models', 'Look at models, and say which version is live.').addHelpText(
    'after',
    `
Examples:
  surprisal models show payments.safetensors
  surprisal models list --registry models
  surprisal models show payments@3 --registry models -o json
  surprisal models diff payments@2 payments@3 --registry pipeline.yaml
  surprisal models promote payments@3 --registry pipeline.yaml --reason 'looked at the shadow scores'
  surprisal models rollback payments --registry pipeline.yaml`,
  )
  subcommand(models, 'list', 'Models of a registry with their versions and aliases.')
    .argument('[model]', 'only this model')
    .option('--registry <place>', 'a folder of models, or the pipeline.yaml that names one', 'models')
    .addOption(outputOption())
    .action(async (model: string | undefined, { registry, output }: ModelsArguments) => {
      const { listModels } = await import('../app/models/model-list.ts')
      printRows(output, await listModels(registry, model))
    })
  subcommand(models, 'show', 'What a model learned, from what, and how well.')
    .argument('<model>', 'a model file, or name@version, name@champion or name in a registry')
    .option('--registry <place>', 'a folder of models, or the pipeline.yaml that names one', 'models')
    .addOption(outputOption())
    .action(async (model: string, { registry, output }: ModelsArguments) => {
      const { showModel } = await import('../app/models/model-list.ts')
      const manifest = await showModel(registry, model)
      if (output === 'json') return print(JSON.stringify(manifest))
      const { fields, encoder: _, members, calibration, alerts, lineage, metrics, notes, ...head } = manifest
      printResult('table', {
        ...head,
        members: members.length,
        records: lineage.records,
        source: lineage.source,
        calibration: `${calibration.method}, ${calibration.records} records, smallest p ${calibration.floor}`,
        nominal_rate: alerts.rate,
        budget: alerts.budget,
        gate_nll: metrics.gate_nll,
        gate_rate: metrics.gate_rate,
      })
      print('')
      printRows('table', fields)
      for (const text of notes) print(`note: ${text}`)
    })
  addModelChanges(models)
}
