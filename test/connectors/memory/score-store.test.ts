import { MemoryScoreStore } from '../../../connectors/memory/score-store.ts'
import { scoreStoreSuite } from '../../conformance/score-store.suite.ts'

scoreStoreSuite('the memory store', async (keep) => new MemoryScoreStore(keep))
