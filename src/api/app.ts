import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { problem } from './answers.ts'

/** A fastify whose routes are typed by zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** The answers of a route: its own at 200, a problem at every error. */
export function answers<Answer extends z.ZodType>(answer: Answer) {
  return { 200: answer, '4xx': problem, '5xx': problem }
}
