import { stat } from 'node:fs/promises'
import { SurprisalError } from '../../core/errors.ts'
import type { ModelRegistry } from '../../core/ports.ts'
import { readArtifact } from '../../detect/model-file/artifact.ts'
import type { Manifest } from '../../detect/model-file/manifest.ts'
import { readModelFile } from '../files/model-file.ts'
import { openRegistry } from './open-registry.ts'

export interface ListedModel extends Readonly<Record<string, unknown>> {
  readonly model: string
  readonly version: number
  readonly aliases: string
  readonly created_at: string
  readonly kilobytes: number
}

/** Every version of every model of a registry, or of one model. `registry` is as openRegistry takes it. */
export async function listModels(registry: string, model?: string): Promise<readonly ListedModel[]> {
  await using models = await openRegistry(registry)
  const names = model === undefined ? await models.models() : [model]
  const lists = await Promise.all(
    names.map(async (name) =>
      (await models.list(name)).map(({ version, aliases, created_at, bytes }) => ({
        model: name,
        version,
        aliases: aliases.join(', '),
        created_at,
        kilobytes: Math.round(bytes / 1024),
      })),
    ),
  )
  return lists.flat()
}

/** The manifest of a model file, or of `name@version`, `name@alias` or `name` (its champion) in a registry. */
export async function showModel(registry: string, model: string): Promise<Manifest> {
  return readArtifact((await readModel(registry, model)).artifact).manifest
}

/** The bytes of what showModel shows; a model file is version 1. */
export async function readModel(
  registry: string,
  model: string,
): Promise<{ readonly artifact: Uint8Array; readonly version: number }> {
  const isFile = await stat(model).then(
    (found) => found.isFile(),
    () => false,
  )
  if (isFile) return { artifact: await readModelFile(model), version: 1 }
  await using models = await openRegistry(registry)
  const { name, version } = await versionNamed(models, model)
  return { artifact: await models.get(name, version), version }
}

/** What `name@version`, `name@champion`, `name@challenger` or `name` (its champion) is. MODEL_NOT_FOUND. */
export async function versionNamed(
  models: ModelRegistry,
  model: string,
): Promise<{ readonly name: string; readonly version: number }> {
  const [name, wanted = 'champion'] = model.split('@')
  const version =
    wanted === 'champion' || wanted === 'challenger'
      ? (await models.alias(name, wanted))?.version
      : (await models.list(name)).find((listed) => String(listed.version) === wanted)?.version
  if (version !== undefined) return { name, version }
  throw new SurprisalError(
    'MODEL_NOT_FOUND',
    `"${model}" is no model file, and the registry has no such model or version; surprisal models list shows what it has`,
  )
}
