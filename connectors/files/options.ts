import { z } from 'zod'

/** `source: { type: file, … }` */
export const fileSourceOptions = z.strictObject({
  type: z.literal('file'),
  paths: z
    .array(z.string().min(1))
    .min(1)
    .describe('Arrow, Parquet, CSV or NDJSON files; patterns such as data/*.arrow; - for standard input.'),
  where: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Only records whose columns have these values.'),
})
export type FileSourceOptions = z.output<typeof fileSourceOptions>

/** `sinks: [{ type: file, … }]` */
export const fileSinkOptions = z.strictObject({
  type: z.literal('file'),
  path: z
    .string()
    .min(1)
    .describe('The output, - for standard output; a folder (ending in /) takes a file at each roll.'),
  format: z
    .enum(['arrow', 'parquet', 'csv', 'ndjson'])
    .optional()
    .describe('Default: by the extension; ndjson on standard output and arrow in a folder.'),
  keep: z.array(z.string().min(1)).default([]).describe('Input columns that the output carries on.'),
})
export type FileSinkOptions = z.output<typeof fileSinkOptions>
