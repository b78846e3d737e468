import type { FlowSpec, FlowWeights } from '../core/flow-spec.ts'
import type { BackendName } from './backend.ts'
import { startEngine } from './engines.ts'
import { KernelTrainer } from './kernel-trainer.ts'
import type { FlowTrainer } from './trainer.ts'

/** A trainer on a backend that chooseBackend has settled on, without asking again whether it starts. */
export async function createTrainer(
  name: BackendName,
  spec: FlowSpec,
  weights: FlowWeights,
): Promise<FlowTrainer> {
  if (name === 'kernel') return KernelTrainer.create(spec, weights)
  const { engine } = await startEngine(name)
  const { TfjsTrainer } = await import('./tfjs-trainer.ts')
  return TfjsTrainer.create({ spec, weights, engine, name })
}
