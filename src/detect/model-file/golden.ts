import { SurprisalError } from '../../core/errors.ts'
import { FlowScorer } from '../../kernel/flow-scorer.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Model } from './artifact.ts'

const TOLERANCE = 1e-4

/** Scores every member's golden vectors with the kernel; MODEL_INVALID where one is off by more than 1e-4 relative. */
export function verifyGolden({ manifest, weights, golden }: Model, kernel: Kernel): void {
  for (const [m, { flow }] of manifest.members.entries()) {
    if (flow === null) continue
    const { x, context, logProb } = golden[m]
    const scorer = new FlowScorer(kernel, flow, weights[m])
    const got = scorer.logProb(x, context, logProb.length)
    scorer.dispose()
    const bad = logProb.findIndex((p, i) => !(Math.abs(got[i] - p) <= TOLERANCE * Math.max(1, Math.abs(p))))
    if (bad < 0) continue
    throw new SurprisalError(
      'MODEL_INVALID',
      `golden vector ${bad} of member ${m} scores ${got[bad]} here and ${logProb[bad]} where the model was made: the file or this machine computes wrongly`,
    )
  }
}
