import { loadPipeline } from '../../../config/load.ts'
import { SurprisalError } from '../../core/errors.ts'
import type { ModelRegistry } from '../../core/ports.ts'
import { connectRegistry } from '../connect.ts'

/** The registry of a pipeline.yaml, or a folder of models. USAGE for a file that is no pipeline file. */
export async function openRegistry(where: string): Promise<ModelRegistry> {
  if (/\.ya?ml$/i.test(where)) return connectRegistry(loadPipeline(where).registry)
  if (where.endsWith('.safetensors')) {
    throw new SurprisalError(
      'USAGE',
      `--registry ${where} is a model file; a registry is a folder or a pipeline.yaml`,
    )
  }
  return connectRegistry({ type: 'fs', path: where })
}
