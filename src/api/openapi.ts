import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { packageVersion } from '../core/package-root.ts'
import { problem } from './answers.ts'

type Described = Exclude<ReturnType<NonNullable<FastifyDynamicSwaggerOptions['transformObject']>>, undefined>
interface Content {
  content?: Record<string, unknown>
}
interface Operation {
  readonly security?: readonly unknown[]
  readonly requestBody?: Content
  readonly responses?: Record<string, Content>
}

const PROBLEM = {
  description: 'RFC 9457 problem details',
  content: { 'application/problem+json': { schema: z.toJSONSchema(problem) } },
}

/** How the API describes itself: OpenAPI 3.1, whose schemas are those that requests are checked by. */
export function openApi(tokenRequired: boolean): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Surprisal',
        version: packageVersion,
        description: 'Scores, models and retraining of anomaly-detection pipelines.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: tokenRequired ? [{ token: [] }] : [],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      'openapiObject' in document ? asProblems(document.openapiObject as Described) : document.swaggerObject,
  }
}

/**
 * Errors are problem details, a media type of their own, which the schemas of answers do not say; every route that asks for
 * a token may answer one. Of a body that is no JSON no schema of JSON is told.
 */
function asProblems(document: Described): Described {
  const paths: Record<string, Record<string, Operation>> = ('paths' in document && document.paths) as never
  for (const operations of Object.values(paths))
    for (const { security, requestBody, responses = {} } of Object.values(operations)) {
      for (const type of Object.keys(requestBody?.content ?? {}))
        if (requestBody?.content && !type.endsWith('json')) requestBody.content[type] = {}
      for (const [status, answer] of Object.entries(responses)) {
        const json = answer.content?.['application/json']
        if (/^[45]XX$/i.test(status) && json !== undefined)
          answer.content = { 'application/problem+json': json }
      }
      if (security === undefined) responses['4XX'] ??= PROBLEM
    }
  return document
}
