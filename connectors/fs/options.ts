import { z } from 'zod'

/** `registry: { type: fs, … }` */
export const fsRegistryOptions = z.strictObject({
  type: z.literal('fs'),
  path: z
    .string()
    .min(1)
    .default('models')
    .describe('Folder of the models; every process must see the same.'),
})
export type FsRegistryOptions = z.output<typeof fsRegistryOptions>
