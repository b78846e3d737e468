/** A training thread: fits one flow and reports to fitMembers. */
import '@tensorflow/tfjs-backend-cpu'
import { isSurprisalError, messageOf } from '../core/errors.ts'
import { fitMember } from '../train/member.ts'
import type { MemberOutcome, MemberReport, MemberTask } from '../train/members.ts'
import { TfjsTrainer } from '../train/tfjs-trainer.ts'

export default async function run({ job, reports, checkpoints }: MemberTask): Promise<MemberOutcome> {
  const tell = (report: MemberReport) => reports.postMessage(report)
  try {
    const fit = await fitMember(
      job,
      (spec, weights) => TfjsTrainer.create({ spec, weights, engine: 'cpu' }),
      {
        onProgress: (progress) => tell({ progress }),
        ...(checkpoints && { onCheckpoint: (checkpoint: Uint8Array) => tell({ checkpoint }) }),
      },
    )
    return { fit }
  } catch (error) {
    return {
      code: isSurprisalError(error) ? error.code : 'INTERNAL',
      message: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    }
  } finally {
    reports.close()
  }
}
