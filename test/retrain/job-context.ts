import type { JobContext, RetrainJob } from '../../src/core/ports.ts'

/** A job at work, whose log is kept in `lines`. */
export function jobContext(
  job: Pick<RetrainJob, 'id' | 'request' | 'created_at'>,
  last = false,
): JobContext & { readonly lines: string[] } {
  const lines: string[] = []
  return {
    lines,
    last,
    signal: new AbortController().signal,
    progress: async () => {},
    log: async (line) => void lines.push(line),
    job: {
      ...job,
      state: 'active',
      attempts: 1,
      started_at: null,
      finished_at: null,
      progress: { stage: 'queued', fraction: 0 },
      result: null,
      error: null,
      log: [],
    },
  }
}
