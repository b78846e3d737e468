import { MemoryModelRegistry, MemoryModels } from '../../../connectors/memory/model-registry.ts'
import { modelRegistrySuite } from '../../conformance/model-registry.suite.ts'

modelRegistrySuite('memory', async () => {
  const models = new MemoryModels()
  return { open: async () => new MemoryModelRegistry(models), close: async () => {} }
})
