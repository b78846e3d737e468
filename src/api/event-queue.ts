import type { LiveEvent, LiveFeed } from '../core/ports.ts'

/** What a client is sent: events, and how many it was too slow for. */
export type SentEvent = LiveEvent | { readonly kind: 'missed'; readonly count: number }

/**
 * The events of a feed for one client, at its own pace. At most `limit` wait; above that new ones are dropped and
 * counted, and the client is told how many it missed. Ends when the signal fires.
 */
export async function* eventQueue(
  feed: LiveFeed,
  wanted: (event: LiveEvent) => boolean,
  signal: AbortSignal,
  limit = 256,
): AsyncGenerator<SentEvent> {
  const waiting: LiveEvent[] = []
  let missed = 0
  let wake = () => {}
  const unsubscribe = feed.subscribe((event) => {
    if (!wanted(event)) return
    if (waiting.length < limit) waiting.push(event)
    else missed++
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const event = waiting.shift()
      if (event !== undefined) {
        yield event
      } else if (missed > 0) {
        const count = missed
        missed = 0
        yield { kind: 'missed', count }
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}
