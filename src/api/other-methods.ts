import type { HTTPMethods } from 'fastify'
import type { App } from './app.ts'
import { HttpProblem } from './problem.ts'

/**
 * Watches the routes that are made from here on, and returns what answers the methods that a path has no route for:
 * 405 with `Allow` (RFC 9110, section 15.5.6) instead of 404. Call that once all routes are there.
 */
export function watchMethods(app: App): () => void {
  const byPath = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = byPath.get(url) ?? new Set()
    for (const each of [method].flat()) methods.add(each)
    byPath.set(url, methods)
  })
  return () => {
    for (const [url, present] of [...byPath]) {
      const allow = [...present].sort().join(', ')
      app.route({
        url,
        method: app.supportedMethods.filter((method) => !present.has(method)) as HTTPMethods[],
        config: { role: 'none' },
        schema: { hide: true },
        // Before a body is read.
        onRequest: (request, reply) => {
          reply.header('allow', allow)
          throw new HttpProblem(405, `${url} takes ${allow}, not ${request.method}`)
        },
        handler: () => undefined,
      })
    }
  }
}
