import { readFile } from 'node:fs/promises'
import type { PipelineConfig } from '../../../config/pipeline.ts'
import { onFile } from '../../../connectors/files/file-error.ts'
import type { ModelRegistry } from '../../core/ports.ts'
import type { Detector } from '../../detect/detector.ts'
import { loadDetector } from '../jobs/train-jobs.ts'

/** The models that a pipeline scores with: its `model.file`, as version 1, or the versions of a registry. */
export class PipelineModels {
  readonly #config: PipelineConfig
  readonly #registry: Pick<ModelRegistry, 'get'>

  constructor(config: PipelineConfig, registry: Pick<ModelRegistry, 'get'>) {
    this.#config = config
    this.#registry = registry
  }

  /** Takes `workers` threads, or as many as there are cores; throws what the file or the registry throws. */
  async load(version: number, workers?: number): Promise<Detector> {
    return loadDetector(this.#config, await this.#artifact(version), version, workers)
  }

  /** The same model under the settings that the pipeline has now. */
  again({ artifact, modelVersion }: Detector): Promise<Detector> {
    return loadDetector(this.#config, artifact, modelVersion)
  }

  #artifact(version: number): Promise<Uint8Array> {
    const { name, model } = this.#config
    const { file } = model
    return file === undefined ? this.#registry.get(name, version) : onFile(file, 'read', () => readFile(file))
  }
}
