import { z } from 'zod'

export const bullmqOptions = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'a Redis URL starts with redis:// or rediss://')
    .describe('Redis address.'),
  prefix: z.string().min(1).default('surprisal').describe('Prefix of all keys.'),
  attempts: z.int().min(1).default(5).describe('How often a retryable failure is tried in all.'),
  backoff_ms: z.int().min(1).default(30_000).describe('First wait before trying again; it doubles.'),
  history: z.int().min(1).default(100).describe('Completed, and failed, jobs that are kept.'),
  lock_ms: z
    .int()
    .min(1000)
    .default(30_000)
    .describe('A job whose worker is silent this long goes to another.'),
  concurrency: z.int().min(1).default(1).describe('Jobs that one trainer works at once.'),
})
export type BullmqOptions = z.output<typeof bullmqOptions>
