import { isSurprisalError, messageOf } from '../core/errors.ts'
import type { JobContext, RetrainProgress } from '../core/ports.ts'
import type { RecordBatch } from '../core/record.ts'
import type { FitCheckpoint } from '../detect/fit/fit-checkpoints.ts'
import { type FitSettings, fitInProcess } from './fit-process.ts'
import type { JobCheckpoints } from './job-checkpoints.ts'

/** Fits in a child process, from the checkpoints of the attempt before where there are any. */
export async function fitChallenger(
  train: readonly RecordBatch[],
  settings: FitSettings,
  context: JobContext,
  checkpoints: JobCheckpoints | undefined,
): Promise<Uint8Array> {
  const saved = (await checkpoints?.load(context.job)) ?? []
  if (saved.length > 0) await context.log(`goes on from the checkpoints of ${saved.length} flows`)
  const curve: { step: number; train: number; held_out: number }[] = []
  const hooks = {
    signal: context.signal,
    onProgress: (progress: RetrainProgress) => {
      // One flow's curve: several in one drawing say nothing.
      if (progress.member === 0 && progress.held_out_nll !== undefined) {
        const { step = 0, train_nll = Number.NaN, held_out_nll } = progress
        curve.push({ step, train: train_nll, held_out: held_out_nll })
      }
      void context.progress({ ...progress, fraction: 0.05 + 0.85 * progress.fraction, curve }).catch(() => {})
    },
    onCheckpoint: (checkpoint: FitCheckpoint) => checkpoints?.save(context.job, checkpoint),
    onLog: (line: string) => void context.log(line).catch(() => {}),
  }
  const attempt = (resume: readonly FitCheckpoint[]) =>
    fitInProcess(train, settings, { ...hooks, checkpoints: resume })
  try {
    return await attempt(saved)
  } catch (error) {
    if (saved.length === 0 || !isSurprisalError(error, 'MODEL_INVALID')) throw error
    // Written by another release, or torn: that costs time, not the job.
    await context.log(`starts afresh: ${messageOf(error)}`)
    return attempt([])
  }
}
