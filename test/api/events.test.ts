import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventQueue, type SentEvent } from '../../src/api/event-queue.ts'
import { LiveHub } from '../../src/api/live-hub.ts'
import { scoredBatch } from '../conformance/scored-batch.ts'
import { serveApi } from './served-api.ts'

const event = (text: string, pipeline = 'orders') => ({ kind: 'model', pipeline, at: '', text }) as const

describe('an event queue', () => {
  it('never grows above its limit and says how many were missed', async () => {
    const hub = new LiveHub()
    const stop = new AbortController()
    const queue = eventQueue(hub, () => true, stop.signal, 5)
    const first = queue.next()
    for (let i = 0; i < 100; i++) hub.publish(event(`${i}`))
    const seen: SentEvent[] = [(await first).value as SentEvent]
    for (let i = 0; i < 5; i++) seen.push((await queue.next()).value as SentEvent)
    expect(seen.slice(0, 5).map((e) => 'text' in e && e.text)).toEqual(['0', '1', '2', '3', '4'])
    expect(seen[5]).toEqual({ kind: 'missed', count: 95 })
    const waiting = queue.next()
    stop.abort()
    expect((await waiting).done).toBe(true)
  })

  it('tells of a batch once, with its first anomalies', () => {
    const hub = new LiveHub()
    const events: string[] = []
    hub.subscribe((e) => events.push(e.kind))
    hub.scored(scoredBatch({ pipeline: 'orders', rows: 5000 }))
    expect(events.filter((kind) => kind === 'anomaly').length).toBe(20)
    expect(events.at(-1)).toBe('scores')
  })
})

describe('GET /events', () => {
  it('streams what happens, of the pipeline asked for', async () => {
    await using served = await serveApi()
    const url = await served.api.listen({ port: 0 })
    const stop = new AbortController()
    const response = await fetch(`${url}/api/v1/events?pipeline=orders`, { signal: stop.signal })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const reader = response.body!.getReader()
    const decoder = new TextDecoder()
    let text = ''
    const readUntil = async (part: string) => {
      while (!text.includes(part)) text += decoder.decode((await reader.read()).value)
    }
    await readUntil('event: open')
    served.hub.publish(event('not this', 'others'))
    served.hub.publish(event('promoted'))
    await readUntil('promoted')
    expect(text).not.toContain('not this')
    stop.abort()
  })

  it('serves a hundred clients while one more does not read, and tells that one what it missed', async () => {
    await using served = await serveApi()
    const url = new URL(await served.api.listen({ port: 0 }))
    const slow = connect(Number(url.port), url.hostname)
    slow.write('GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    slow.pause()
    const stop = new AbortController()
    const clients = await Promise.all(
      Array.from({ length: 100 }, () => fetch(`${url}api/v1/events`, { signal: stop.signal })),
    )
    const counts = clients.map(async (client) => {
      const decoder = new TextDecoder()
      let text = ''
      let jobs = 0
      for await (const chunk of client.body!) {
        const events = (text + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n')
        text = events.pop()!
        jobs += events.filter((event) => event.includes('event: model')).length
        if (events.at(-1)?.includes('the last')) break
      }
      return jobs
    })
    await sleep(50)
    for (let i = 0; i < 100; i++) served.hub.publish(event('x'.repeat(1000)))
    served.hub.publish(event('the last'))
    expect(await Promise.all(counts)).toEqual(Array(100).fill(101))
    stop.abort()
    for (let i = 0; i < 1000; i++) {
      served.hub.publish(event('y'.repeat(20_000)))
      if (i % 10 === 0) await sleep(1)
    }
    let text = ''
    for await (const chunk of slow) {
      text += chunk
      if (text.includes('event: missed')) break
    }
    expect(text).toMatch(/event: missed\ndata: \{"kind":"missed","count":\d+\}/)
  })

  it('refuses more streams than configured, and frees a place when one goes', async () => {
    await using served = await serveApi({ event_clients: 1 })
    const url = await served.api.listen({ port: 0 })
    const stop = new AbortController()
    await fetch(`${url}/api/v1/events`, { signal: stop.signal })
    expect((await fetch(`${url}/api/v1/events`)).status).toBe(503)
    stop.abort()
    await sleep(100)
    const again = await fetch(`${url}/api/v1/events`)
    expect(again.status).toBe(200)
    await again.body!.cancel()
  })
})
