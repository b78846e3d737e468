import { z } from 'zod'
import { messageOf } from '../../core/errors.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'

const health = z.object({ status: z.string(), reasons: z.array(z.string()).readonly() })

/** /healthz: the process lives. /readyz: 503 with the reasons until it can work. /metrics: for Prometheus. */
export function healthRoutes(app: App, { store, unready, metrics }: ApiDeps): void {
  const open = { role: 'none' } as const
  app.get(
    '/healthz',
    {
      config: open,
      schema: { summary: 'The process lives', security: [], response: { 200: health } },
    },
    async () => ({
      status: 'ok',
      reasons: [],
    }),
  )

  app.get(
    '/readyz',
    {
      config: open,
      schema: {
        summary: 'Ready to work, or why not',
        security: [],
        response: { 200: health, 503: health },
      },
    },
    async (_request, reply) => {
      const reasons = [...((await unready?.()) ?? [])]
      await store.pipelines().catch((error) => reasons.push(`score store: ${messageOf(error)}`))
      if (reasons.length === 0) return { status: 'ready', reasons }
      return reply.code(503).send({ status: 'not ready', reasons })
    },
  )

  app.get(
    '/metrics',
    { schema: { summary: 'Metrics in the text format of Prometheus' } },
    async (_request, reply) => {
      reply.type(metrics?.contentType ?? 'text/plain; version=0.0.4')
      return (await metrics?.metrics()) ?? ''
    },
  )
}
