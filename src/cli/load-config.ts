import { Option } from 'commander'
import type { PipelineConfig } from '../../config/pipeline.ts'

/** `--set section.key=value`, repeatable. */
export function setOption(): Option {
  return new Option('--set <setting=value>', 'another value for a setting (repeatable)')
    .argParser((value: string, previous: readonly string[] = []) => [...previous, value])
    .default([], 'as in the file')
}

/** The pipeline file with what the command line says instead. */
export async function loadConfig(file: string, set: readonly string[] = []): Promise<PipelineConfig> {
  const { loadPipeline } = await import('../../config/load.ts')
  return loadPipeline(file, { set })
}
