import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { WebhookChannel } from '../../../connectors/webhook/channel.ts'
import { webhookOptions } from '../../../connectors/webhook/options.ts'
import type { Alert } from '../../../src/core/ports.ts'
import { SILENT } from '../../../src/core/telemetry.ts'
import { AlertOutbox } from '../../../src/pipeline/alert-outbox.ts'

const alert = (id: string, extra: Partial<Alert> = {}): Alert => ({
  id,
  pipeline: 'pay',
  kind: 'episode',
  state: 'firing',
  severity: 'major',
  entity: 'acct-1',
  summary: 'an anomaly',
  started_at: '2026-01-01T00:00:00.000Z',
  ended_at: null,
  anomalies: 1,
  max_score: 4,
  fields: ['amount'],
  ...extra,
})

async function receiver() {
  const posts: { body: unknown; authorization: string | undefined }[] = []
  const state = { status: 200 }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (state.status === 200)
      posts.push({ body: JSON.parse(body), authorization: request.headers.authorization })
    response.writeHead(state.status).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return Object.assign(state, {
    posts,
    url: `http://127.0.0.1:${port}/hook`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  })
}
const channelTo = (url: string, extra: object = {}) =>
  new WebhookChannel(webhookOptions.parse({ type: 'webhook', url, ...extra }))

describe('WebhookChannel', () => {
  it('posts alerts as JSON with its token', async () => {
    await using hook = await receiver()
    await channelTo(hook.url, { token: 'secret' }).send([alert('1')])
    expect(hook.posts).toEqual([{ body: [alert('1')], authorization: 'Bearer secret' }])
  })

  it('speaks Alertmanager’s API', async () => {
    await using hook = await receiver()
    const over = alert('1', { state: 'resolved', ended_at: '2026-01-01T00:05:00.000Z' })
    await channelTo(hook.url, { format: 'alertmanager' }).send([over])
    expect(hook.posts[0].body).toEqual([
      {
        labels: {
          alertname: 'surprisal_episode',
          pipeline: 'pay',
          severity: 'major',
          episode: '1',
          entity: 'acct-1',
        },
        annotations: { summary: 'an anomaly', details: expect.stringContaining('"fields":["amount"]') },
        startsAt: '2026-01-01T00:00:00.000Z',
        endsAt: '2026-01-01T00:05:00.000Z',
      },
    ])
  })

  it.each([
    [500, true],
    [429, true],
    [400, false],
  ])('on status %i says whether to try again: %s', async (status, retryable) => {
    await using hook = await receiver()
    hook.status = status
    await expect(channelTo(hook.url).send([alert('1')])).rejects.toMatchObject({
      code: 'SINK_FAILED',
      retryable,
    })
  })

  it('does not wait for ever, nor for nobody', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const slow = channelTo(`http://127.0.0.1:${port}/`, { timeout_ms: 50 })
    await expect(slow.send([alert('1')])).rejects.toMatchObject({ retryable: true })
    silent.closeAllConnections()
    silent.close()
    await expect(slow.send([alert('1')])).rejects.toThrow(/does not answer/)
  })
})

describe('AlertOutbox', () => {
  it('delivers in order after an outage, the newest state of each alert, and drops the oldest beyond its limit', async () => {
    await using hook = await receiver()
    hook.status = 503
    await using outbox = new AlertOutbox(channelTo(hook.url), { queue: 3 }, SILENT)
    outbox.put(alert('first'))
    await sleep(50)
    for (const id of ['a', 'b', 'c', 'd']) outbox.put(alert(id))
    outbox.put(alert('d', { anomalies: 9 }))
    expect(outbox.dropped).toBe(1)
    hook.status = 200
    while (hook.posts.length < 2) await sleep(20)
    const sent = hook.posts.flatMap(({ body }) => body as Alert[])
    expect(sent.map(({ id, anomalies }) => [id, anomalies])).toEqual([
      ['first', 1],
      ['b', 1],
      ['c', 1],
      ['d', 9],
    ])
  })
})
