import { z } from 'zod'
import { bullmqOptions } from '../connectors/bullmq/options.ts'
import { duckdbScoreStoreOptions } from '../connectors/duckdb/options.ts'
import { fileSinkOptions, fileSourceOptions } from '../connectors/files/options.ts'
import { fsRegistryOptions } from '../connectors/fs/options.ts'
import {
  deadLetterOptions,
  kafkaOptions,
  kafkaSinkOptions,
  kafkaSourceOptions,
} from '../connectors/kafka/options.ts'
import { postgresScoreStoreOptions } from '../connectors/postgres/options.ts'
import { redisRegistryOptions } from '../connectors/redis/options.ts'
import { webhookOptions } from '../connectors/webhook/options.ts'

/** Every connector that a pipeline file can name, by port: a new one is one line here. */
export const source = z.discriminatedUnion('type', [fileSourceOptions, kafkaSourceOptions])

export const sink = z.discriminatedUnion('type', [fileSinkOptions, kafkaSinkOptions, webhookOptions])

export const store = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('memory') }),
  z.strictObject({ type: z.literal('duckdb'), ...duckdbScoreStoreOptions.shape }),
  z.strictObject({ type: z.literal('postgres'), ...postgresScoreStoreOptions.shape }),
])

export const registry = z.discriminatedUnion('type', [fsRegistryOptions, redisRegistryOptions])

export const queue = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('memory') }),
  z.strictObject({ type: z.literal('bullmq'), ...bullmqOptions.shape }),
])

export const kafka = kafkaOptions
export const deadLetters = deadLetterOptions
