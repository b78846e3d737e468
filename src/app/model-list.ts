import { stat } from 'node:fs/promises'
import { FsModelRegistry } from '../../connectors/fs/model-registry.ts'
import { SurprisalError } from '../core/errors.ts'
import { readArtifact } from '../detect/artifact.ts'
import type { Manifest } from '../detect/manifest.ts'
import { readModelFile } from './model-file.ts'

export interface ListedModel extends Readonly<Record<string, unknown>> {
  readonly model: string
  readonly version: number
  readonly aliases: string
  readonly created_at: string
  readonly kilobytes: number
}

/** Every version of every model of a registry folder, or of one model. */
export async function listModels(registry: string, model?: string): Promise<readonly ListedModel[]> {
  await using models = new FsModelRegistry(registry)
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
  const isFile = await stat(model).then(
    (found) => found.isFile(),
    () => false,
  )
  if (isFile) return readArtifact(await readModelFile(model)).manifest
  const [name, wanted = 'champion'] = model.split('@')
  await using models = new FsModelRegistry(registry)
  const version =
    wanted === 'champion' || wanted === 'challenger'
      ? (await models.alias(name, wanted))?.version
      : Number(wanted)
  if (version === undefined || !Number.isInteger(version))
    throw new SurprisalError(
      'MODEL_NOT_FOUND',
      `"${model}" is no model file, and the registry ${registry} has no such model; surprisal models list shows what it has`,
    )
  return readArtifact(await models.get(name, version)).manifest
}
