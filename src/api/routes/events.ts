import type { LiveFeed } from '../../core/ports.ts'
import type { App } from '../app.ts'
import { eventsQuery } from '../asked.ts'
import { eventQueue } from '../event-queue.ts'
import type { ApiOptions } from '../options.ts'
import { HttpProblem } from '../problem.ts'

/** Live events as server-sent events. A client that reads too slowly is told how many it missed. */
export function eventRoutes(app: App, feed: LiveFeed, options: ApiOptions): void {
  let clients = 0
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  app.get(
    '/events',
    {
      sse: { kind: 'only' },
      schema: {
        summary:
          'Live events (text/event-stream): scores, anomaly, episode, status, model, job, drift, missed',
        querystring: eventsQuery,
      },
    },
    async ({ query: { pipeline } }, reply) => {
      if (clients >= options.event_clients)
        throw new HttpProblem(503, `${clients} live event streams are open already: try again later`)
      clients++
      const gone = new AbortController()
      reply.sse.onClose(() => gone.abort())
      const wanted = (event: { pipeline: string }) => pipeline === undefined || event.pipeline === pipeline
      try {
        // The first event comes at once, so that a client knows the stream is open.
        await reply.sse.send({ event: 'open', data: { at: new Date().toISOString() } })
        const signal = AbortSignal.any([gone.signal, closing.signal])
        for await (const event of eventQueue(feed, wanted, signal))
          await reply.sse.send({ event: event.kind, data: event })
      } finally {
        clients--
      }
    },
  )
}
