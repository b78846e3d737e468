import { z } from 'zod'
import { keptScores } from '../sql/options.ts'

export const duckdbScoreStoreOptions = z.strictObject({
  path: z.string().min(1).describe('the file that holds the scores; one process owns it'),
  threads: z.number().int().min(1).max(256).default(2).describe('threads of one query or append'),
  memory_limit: z
    .string()
    .regex(/^\d+(\.\d+)?\s?([KMGT]i?B)$/i, 'a size such as 512MB or 2GB')
    .default('1GB')
    .describe('memory above which DuckDB spills to disk'),
  ...keptScores,
})
export type DuckdbScoreStoreOptions = z.infer<typeof duckdbScoreStoreOptions>
