import { z } from 'zod'
import type { KeepPolicy } from '../../src/core/scores/intake.ts'

/** What every score database is asked to keep. */
export const keptScores = {
  keep: z
    .enum(['all', 'anomalies'])
    .default('all')
    .describe('all scores, or anomalies and unscored records plus a sample of the normal ones'),
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('share of the normal scores kept with keep: anomalies'),
  retention_days: z
    .number()
    .positive()
    .optional()
    .describe('scores whose event time is older are dropped; roll-ups stay. Default: keep for ever'),
}

export function keepPolicyOf(options: { keep: 'all' | 'anomalies'; sample: number }): KeepPolicy {
  return { rows: options.keep, sample: options.keep === 'all' ? 1 : options.sample }
}
