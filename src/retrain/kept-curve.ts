import type { JobContext, RetrainProgress } from '../core/ports.ts'

/** A job's context whose later progress goes on telling the loss curve of the latest fit, also when the job is done. */
export function keepingCurve(context: JobContext): JobContext {
  let curve: RetrainProgress['curve']
  return {
    ...context,
    progress(update) {
      curve = update.curve ?? curve
      return context.progress(curve === undefined ? update : { ...update, curve })
    },
  }
}
