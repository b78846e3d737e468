import type { RepeatStrategy } from 'bullmq'
import { Cron } from 'croner'

/**
 * BullMQ's schedulers in croner's syntax, as the queue in memory has it, so that a schedule means the same on both: an
 * hour that daylight saving leaves out runs at its end, an hour that comes twice runs once.
 */
export const repeatStrategy: RepeatStrategy = (millis, { pattern, tz }) =>
  new Cron(pattern ?? '', { paused: true, ...(tz !== undefined && { timezone: tz }) })
    .nextRun(new Date(millis))
    ?.getTime()
