import { startEngine } from '../../src/train/engines.ts'
import { TfjsTrainer } from '../../src/train/tfjs-trainer.ts'
import { trainerSuite } from '../conformance/trainer.suite.ts'

trainerSuite('tfjs-webgpu', async (spec, weights, adam) => {
  const { engine } = await startEngine('webgpu')
  return TfjsTrainer.create({ spec, weights, adam, engine })
})
