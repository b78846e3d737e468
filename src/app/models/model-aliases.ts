import { type Change, summaryDiff } from '../../api/summary-diff.ts'
import { championBefore } from '../../core/alias-history.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { ModelRegistry } from '../../core/ports.ts'
import { readArtifact } from '../../detect/model-file/artifact.ts'
import { versionNamed } from './model-list.ts'
import { openRegistry } from './open-registry.ts'

export interface Promotion {
  readonly model: string
  readonly version: number
  readonly previous: number | null
}

/** Makes `name@version` the champion: every scorer takes it between two batches. MODEL_NOT_FOUND. */
export async function promoteModel(
  registry: string,
  model: string,
  who: string,
  why: string,
): Promise<Promotion> {
  await using models = await openRegistry(registry)
  const { name, version } = await versionNamed(models, model)
  return await promoted(models, name, version, who, why)
}

/** Makes the champion before this one champion again. MODEL_NOT_FOUND where there is none. */
export async function rollBackModel(
  registry: string,
  model: string,
  who: string,
  why: string,
): Promise<Promotion> {
  await using models = await openRegistry(registry)
  const version = championBefore(await models.history(model), await models.list(model))
  if (version === undefined)
    throw new SurprisalError('MODEL_NOT_FOUND', `model "${model}" has no earlier champion to go back to`)
  return await promoted(models, model, version, who, why)
}

/** What differs between the manifests of two versions, but for encoder states and tensors' names. */
export async function diffModels(registry: string, from: string, to: string): Promise<readonly Change[]> {
  await using models = await openRegistry(registry)
  const [before, after] = await Promise.all(
    [from, to].map(async (model) => {
      const { name, version } = await versionNamed(models, model)
      const { encoder: _, drift: __, ...shown } = readArtifact(await models.get(name, version)).manifest
      return shown
    }),
  )
  return summaryDiff(before, after)
}

async function promoted(
  models: ModelRegistry,
  model: string,
  version: number,
  who: string,
  why: string,
): Promise<Promotion> {
  const previous = (await models.alias(model, 'champion'))?.version ?? null
  await models.setAlias(model, 'champion', version, who, why)
  const challenger = await models.alias(model, 'challenger')
  if (challenger?.version === version)
    await models.setAlias(model, 'challenger', null, who, `version ${version} is the champion now`)
  return { model, version, previous }
}
