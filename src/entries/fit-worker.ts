/** A training thread: fits one flow and reports to fitMembers. */
import { isSurprisalError, messageOf } from '../core/errors.ts'
import { createTrainer } from '../train/create-trainer.ts'
import { fitMember } from '../train/member.ts'
import type { MemberOutcome, MemberReport, MemberTask } from '../train/members.ts'

export default async function run(task: MemberTask): Promise<MemberOutcome> {
  const { job, backend, reports, checkpoints } = task
  const tell = (report: MemberReport) => reports.postMessage(report)
  try {
    const fit = await fitMember(job, (spec, weights) => createTrainer(backend, spec, weights), {
      onProgress: (progress) => tell({ progress }),
      ...(checkpoints && { onCheckpoint: (checkpoint: Uint8Array) => tell({ checkpoint }) }),
    })
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
