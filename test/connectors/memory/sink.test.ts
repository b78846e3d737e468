import { MemorySink } from '../../../connectors/memory/sink.ts'
import { sinkSuite } from '../../conformance/sink.suite.ts'

sinkSuite('memory', async () => {
  const sink = new MemorySink()
  return {
    create: async () => sink,
    read: async () => sink.records,
    async [Symbol.asyncDispose]() {},
  }
}, [
  {
    tests: ['rejects with a cause when the destination fails, and works again once it is healed'],
    reason: 'memory does not fail',
  },
])
