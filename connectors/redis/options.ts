import { z } from 'zod'

/** `registry: { type: redis, … }` */
export const redisRegistryOptions = z.strictObject({
  type: z.literal('redis'),
  url: z
    .string()
    .regex(/^rediss?:\/\//, 'a Redis URL starts with redis:// or rediss://')
    .describe('Redis address.'),
  prefix: z.string().min(1).default('surprisal').describe('Prefix of all keys.'),
})
export type RedisRegistryOptions = z.output<typeof redisRegistryOptions>
