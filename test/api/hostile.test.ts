import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedApi, serveApi } from './served-api.ts'

let served: ServedApi
beforeAll(async () => {
  served = await serveApi({ body_limit: 4096, rate_limit: 100_000 })
})
afterAll(() => served[Symbol.asyncDispose]())

const SQL = encodeURIComponent(`' OR 1=1; DROP TABLE scores; --`)
const BAD = [
  '/pipelines/orders/scores?from=0&to=1e400',
  '/pipelines/orders/scores?from=yesterday',
  '/pipelines/orders/scores?from=2026-13',
  '/pipelines/orders/scores?from=99999999999999999999',
  '/pipelines/orders/scores?cursor=AAAA',
  `/pipelines/orders/scores?cursor=${SQL}`,
  '/pipelines/orders/scores?limit=0',
  '/pipelines/orders/scores?limit=100000000',
  '/pipelines/orders/scores?limit=1e3x',
  '/pipelines/orders/scores?verdict=strange',
  `/pipelines/orders/scores?severity=${SQL}`,
  `/pipelines/orders/scores?order=${SQL}`,
  '/pipelines/orders/scores?unknown=1',
  '/pipelines/orders/scores?limit=5&limit=6',
  '/pipelines/orders/scores?__proto__[x]=1',
  '/pipelines/orders/series?from=0&step=1',
  '/pipelines/orders/series?from=5&to=1',
  '/pipelines/orders/series?step=-1',
  '/pipelines/orders/series?step=0.5',
  '/pipelines/orders/series?buckets=1000000',
  '/pipelines/orders/calibration?from=5&to=1',
  `/pipelines/${SQL}/scores`,
  '/pipelines/__proto__/scores',
  '/pipelines/constructor/scores',
  '/pipelines/nobody/scores',
  '/pipelines/orders/scores/none',
  `/pipelines/orders/scores/${SQL}`,
  '/models/..%2F..%2Fetc%2Fpasswd',
  '/models/..',
  '/models/%00',
  '/models/nobody',
  '/models/__proto__',
  '/models/orders/diff?from=1&to=99',
  '/models/orders/diff?from=a&to=b',
  `/jobs/${SQL}`,
  '/jobs/__proto__',
  `/jobs?pipeline=${SQL}`,
  '/nothing/here',
  '/%E0%A4%A',
  `/pipelines/${'x'.repeat(3000)}`,
]

it('answers what never becomes a request with a problem too', async () => {
  await using own = await serveApi()
  const url = await own.api.listen({ port: 0 })
  const long = await fetch(`${url}/api/v1/pipelines?x=${'x'.repeat(20_000)}`)
  expect(long.status).toBe(431)
  expect(long.headers.get('content-type')).toBe('application/problem+json')
  expect(await long.json()).toMatchObject({ status: 431, code: 'REQUEST_HEADER_FIELDS_TOO_LARGE' })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('no request at all\r\n\r\n')
  const answer = (await socket.setEncoding('utf8').toArray()).join('')
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n(.|\r\n)*"code":"BAD_REQUEST"/)
})

describe('a hostile query', () => {
  it.each(BAD)('GET %s is a 4xx problem', async (url) => {
    const answer = await served.api.inject({ url: `/api/v1${url}` })
    expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400)
    expect(answer.statusCode, answer.body).toBeLessThan(500)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    const problem = answer.json()
    expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'detail', 'code', 'request_id'])
    expect(problem.status).toBe(answer.statusCode)
  })

  it.each([['/assets/..%2F..%2Fpackage.json'], ['/assets/../../package.json'], ['/../package.json']])(
    'GET %s finds no file',
    async (url) => {
      expect((await served.api.inject({ url })).statusCode).toBe(404)
    },
  )

  it.each<[string, string, string?]>([
    ['/jobs', '{"pipeline":"nobody"}'],
    ['/jobs', '{"pipeline":"orders","__proto__":{"x":1}}'],
    ['/jobs', '{"pipeline":"orders","constructor":{"prototype":{"x":1}}}'],
    ['/jobs', '{"pipeline":"orders","extra":1}'],
    ['/jobs', '{not json'],
    ['/jobs', ''],
    ['/jobs', 'pipeline=orders', 'application/x-www-form-urlencoded'],
    ['/jobs', `{"pipeline":"orders","reason":"${'x'.repeat(5000)}"}`],
    ['/jobs/none/cancel', '{}'],
    ['/models/orders/promote', '{"version":"1","reason":"x"}'],
    ['/models/orders/promote', '{"version":1.5,"reason":"x"}'],
    ['/models/orders/promote', '{"version":1}'],
    ['/models/orders/rollback', '{}'],
    ['/pipelines/orders/score', '{}'],
    ['/pipelines/orders/score', '[]'],
    ['/pipelines/orders/score', '[{"a":{"nested":1}}]'],
    ['/pipelines/orders/score', 'ARROW1', 'application/vnd.apache.arrow.file'],
    ['/pipelines/nobody/score', '[{"a":1}]'],
    ['/pipelines/orders/feedback', '{"id":"none-1","label":"anomaly"}'],
    ['/pipelines/orders/feedback', '{"id":"orders-0-1","label":"maybe"}'],
  ])('POST %s %s is a 4xx problem', async (url, payload, type = 'application/json') => {
    const answer = await served.api.inject({
      method: 'POST',
      url: `/api/v1${url}`,
      payload,
      headers: { 'content-type': type },
    })
    expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400)
    expect(answer.statusCode, answer.body).toBeLessThan(500)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  it('refuses a schedule that is no cron expression', async () => {
    const answer = await served.api.inject({
      method: 'PUT',
      url: '/api/v1/schedules/orders',
      payload: { cron: 'every full moon' },
    })
    expect(answer.json()).toMatchObject({ status: 422, code: 'CONFIG_INVALID' })
  })
})
