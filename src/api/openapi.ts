import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { packageVersion } from '../core/package-root.ts'

type Described = Exclude<ReturnType<NonNullable<FastifyDynamicSwaggerOptions['transformObject']>>, undefined>
interface Answers {
  readonly responses?: Record<string, { content?: Record<string, unknown> }>
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

/** Errors are problem details: a media type of their own, which the schemas of answers do not say. */
function asProblems(document: Described): Described {
  const paths: Record<string, Record<string, Answers>> = ('paths' in document && document.paths) as never
  for (const operations of Object.values(paths))
    for (const { responses } of Object.values(operations))
      for (const [status, answer] of Object.entries(responses ?? {})) {
        const json = answer.content?.['application/json']
        if (/^[45]XX$/i.test(status) && json !== undefined)
          answer.content = { 'application/problem+json': json }
      }
  return document
}
