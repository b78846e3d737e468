import type { JobContext, RetrainRequest } from '../../src/core/ports.ts'

export const request = (pipeline = 'flights', extra: Partial<RetrainRequest> = {}): RetrainRequest => ({
  pipeline,
  trigger: 'cli',
  reason: 'because',
  who: 'ada',
  ...extra,
})

/** The work of a job that goes on until it is told to stop. */
export const untilStopped = ({ signal }: JobContext): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
