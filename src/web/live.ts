import { useEffect, useRef, useState } from 'preact/hooks'
import type { LiveEvent } from '../core/ports.ts'
import { authorization, withQuery } from './client.ts'

export type LiveState = 'connecting' | 'live' | 'polling'

/** Calls `onEvent` for each live event while `on`. fetch reads the stream, because EventSource cannot send a token. */
export function useLive(
  on: boolean,
  pipeline: string | undefined,
  onEvent: (event: LiveEvent) => void,
): LiveState {
  const [state, setState] = useState<LiveState>('connecting')
  const handler = useRef(onEvent)
  handler.current = onEvent
  useEffect(() => {
    if (!on) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const follow = async () => {
      try {
        const response = await fetch(withQuery('/api/v1/events', { pipeline }), {
          headers: { ...authorization(), accept: 'text/event-stream' },
          signal: stop.signal,
        })
        if (response.status === 501) return setState('polling')
        if (!response.ok || response.body === null) throw new Error(String(response.status))
        setState('live')
        for await (const event of eventsOf(response.body)) handler.current(event)
      } catch {
        // Broken off or refused: tried again below, and polling goes on meanwhile.
      }
      if (stop.signal.aborted) return
      setState('connecting')
      timer = setTimeout(follow, 2000 + Math.random() * 1000)
    }
    follow()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [on, pipeline])
  return state
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<LiveEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (text + value).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data === undefined) continue
      const event = JSON.parse(data)
      if (typeof event?.kind === 'string') yield event
    }
  }
}
