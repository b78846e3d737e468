import { MemoryRetrainQueue } from '../../../connectors/memory/retrain-queue.ts'
import { retrainQueueSuite } from '../../conformance/retrain-queue.suite.ts'

retrainQueueSuite('memory', async () => {
  const queue = new MemoryRetrainQueue({ attempts: 3, backoffMs: 10 })
  return { open: async () => queue, close: () => queue[Symbol.asyncDispose]() }
})
