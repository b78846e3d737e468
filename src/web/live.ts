import { useEffect, useRef } from 'preact/hooks'
import type { LiveEvent } from '../core/ports.ts'
import { authorization } from './client.ts'
import { signal, useSignal } from './signal.ts'

export type LiveState = 'connecting' | 'live'
/** What a listener hears: events, and `again` when some may have been missed, so that it asks anew. */
export type Heard = LiveEvent | { readonly kind: 'again'; readonly pipeline?: undefined }

export const liveState = signal<LiveState>('connecting')
const listeners = new Set<(event: Heard) => void>()
let stop: AbortController | undefined

/** Calls `listener` for each live event while the component is there. All of the page share one stream. */
export function useLive(listener: ((event: Heard) => void) | undefined): LiveState {
  const latest = useRef(listener)
  latest.current = listener
  const on = listener !== undefined
  useEffect(() => {
    if (!on) return
    const hear = (event: Heard) => latest.current?.(event)
    listeners.add(hear)
    if (listeners.size === 1) void follow()
    return () => {
      listeners.delete(hear)
      // The next view may listen at once: the stream is left only when nobody does.
      setTimeout(() => listeners.size === 0 && leave())
    }
  }, [on])
  return useSignal(liveState)
}

function leave(): void {
  stop?.abort()
  stop = undefined
  liveState.set('connecting')
}

/** fetch reads the stream, because EventSource cannot send a token. */
async function follow(): Promise<void> {
  if (stop !== undefined) return
  const mine = new AbortController()
  stop = mine
  while (!mine.signal.aborted) {
    try {
      const response = await fetch('/api/v1/events', {
        headers: { ...authorization(), accept: 'text/event-stream' },
        signal: mine.signal,
      })
      if (!response.ok || response.body === null) throw new Error(String(response.status))
      liveState.set('live')
      for await (const event of eventsOf(response.body)) tell(event)
    } catch {
      // Broken off or refused: tried again below, and views ask by the clock meanwhile.
    }
    if (mine.signal.aborted) return
    liveState.set('connecting')
    await new Promise((resolve) => setTimeout(resolve, 2000 + Math.random() * 1000))
  }
}

function tell(event: Heard): void {
  for (const listener of listeners) listener(event)
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Heard> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (text + value).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const kind = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (kind === 'missed') yield { kind: 'again' }
      else if (kind !== 'open' && data !== undefined) yield JSON.parse(data)
    }
  }
}
