import { workerData } from 'node:worker_threads'
import Tinypool from 'tinypool'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import { readArtifact } from '../detect/artifact.ts'
import type { ScoreOutcome, ScoreTask, ScoreWorkerData } from '../detect/pool.ts'
import { RecordScorer } from '../detect/record-scorer.ts'
import { loadKernel } from '../kernel/kernel.ts'

const [, { artifact, options }] = workerData as [unknown, ScoreWorkerData]
const scorer = new RecordScorer(readArtifact(new Uint8Array(artifact).slice()), loadKernel(), options)

/** Scores one batch; tinypool calls it for every task of this thread. */
export default function score({ batch, explain }: ScoreTask): unknown {
  try {
    const scored = scorer.score(batch, explain)
    const { logProb, score: scores, pValue, pMethod, verdict } = scored
    const buffers = [logProb, scores, pValue, pMethod, verdict].map(({ buffer }) => buffer)
    return Tinypool.move({
      get [Tinypool.transferableSymbol]() {
        return buffers
      },
      get [Tinypool.valueSymbol](): ScoreOutcome {
        return { scored }
      },
    })
  } catch (error) {
    const outcome: ScoreOutcome = {
      code: isSurprisalError(error) ? error.code : 'INTERNAL',
      message: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    }
    return outcome
  }
}
