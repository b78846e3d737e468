import { z } from 'zod'
import { keptScores } from '../sql/options.ts'

export const postgresScoreStoreOptions = z.strictObject({
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'a URL such as postgresql://user@host:5432/database')
    .describe('where the database is; a password can stand in it or in PGPASSWORD'),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'lower-case letters, digits and _, starting with a letter')
    .default('surprisal')
    .describe('the schema that holds the tables; made where it does not exist'),
  connections: z.number().int().min(2).max(100).default(4).describe('the most connections held at once'),
  statement_timeout_ms: z
    .number()
    .int()
    .min(100)
    .default(30_000)
    .describe('a read that takes longer is given up'),
  ...keptScores,
})
export type PostgresScoreStoreOptions = z.infer<typeof postgresScoreStoreOptions>
