import { Validator } from '@seriousme/openapi-schema-validator'
import Ajv from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentIdOf } from '../../src/core/content-id.ts'
import { precisionOf } from '../../src/core/precision.ts'
import { batchOfRows } from '../../src/core/record.ts'
import { MORNING, scoredBatch } from '../conformance/scored-batch.ts'
import { type ServedApi, STATUS, serveApi } from './served-api.ts'

let served: ServedApi
beforeAll(async () => {
  served = await serveApi()
})
afterAll(() => served[Symbol.asyncDispose]())

const base = '/api/v1'
const get = async (url: string) => served.api.inject({ url: base + url })
const send = async (method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
  served.api.inject({ method, url: base + url, ...(payload && { payload }) })

describe('the OpenAPI document', () => {
  it('is a valid OpenAPI 3.1 document', async () => {
    const document = (await get('/openapi.json')).json()
    expect(document.openapi).toBe('3.1.0')
    const { responses } = document.paths['/api/v1/pipelines'].get
    expect(Object.keys(responses['4XX'].content)).toEqual(['application/problem+json'])
    expect(await new Validator().validate(document)).toMatchObject({ valid: true })
    expect(document.paths['/healthz'].get.security).toEqual([])
    expect(Object.keys(document.paths['/metrics'].get.responses)).toContain('4XX')
    const { requestBody } = document.paths['/api/v1/pipelines/{pipeline}/score'].post
    expect(requestBody.required).toBe(true)
    expect(requestBody.content['application/json'].schema.type).toBe('array')
    expect(requestBody.content['application/vnd.apache.arrow.stream']).toEqual({})
  })

  it('describes every answer as it is', async () => {
    const document = (await get('/openapi.json')).json()
    const ajv = new Ajv.default({ strict: false, validateFormats: false })
    const job = (await send('POST', '/jobs', { pipeline: 'orders' })).json()
    await served.queue.cancel(job.id)
    const flagged = await served.store.query({ pipeline: 'orders', verdicts: ['anomaly'], limit: 1 })
    const asked: [string, string, string, object?][] = [
      ['GET', '/pipelines', '/pipelines'],
      ['GET', '/pipelines/{pipeline}', '/pipelines/orders'],
      ['GET', '/pipelines/{pipeline}/scores', '/pipelines/orders/scores?limit=50'],
      ['GET', '/pipelines/{pipeline}/scores/{id}', '/pipelines/orders/scores/orders-0-40'],
      [
        'GET',
        '/pipelines/{pipeline}/scores/{id}/densities',
        `/pipelines/orders/scores/${flagged.items[0].id}/densities`,
      ],
      ['GET', '/pipelines/{pipeline}/anomalies', '/pipelines/orders/anomalies?from=0'],
      ['GET', '/pipelines/{pipeline}/series', `/pipelines/orders/series?from=${MORNING}&to=${MORNING + 1e6}`],
      [
        'GET',
        '/pipelines/{pipeline}/calibration',
        `/pipelines/orders/calibration?from=${MORNING}&to=${MORNING + 1e6}`,
      ],
      ['GET', '/pipelines/{pipeline}/episodes', '/pipelines/orders/episodes'],
      ['GET', '/pipelines/{pipeline}/drift', '/pipelines/orders/drift'],
      [
        'POST',
        '/pipelines/{pipeline}/feedback',
        '/pipelines/orders/feedback',
        { id: 'orders-0-3', label: 'false_alarm' },
      ],
      ['GET', '/pipelines/{pipeline}/feedback', '/pipelines/orders/feedback'],
      ['POST', '/pipelines/{pipeline}/score', '/pipelines/orders/score', [{ amount: 3, currency: 'EUR' }]],
      ['GET', '/models', '/models'],
      ['GET', '/models/{model}', '/models/orders'],
      ['GET', '/models/{model}/history', '/models/orders/history'],
      ['GET', '/models/{model}/diff', '/models/orders/diff?from=1&to=2'],
      ['POST', '/models/{model}/promote', '/models/orders/promote', { version: 3, reason: 'lower NLL' }],
      ['POST', '/models/{model}/rollback', '/models/orders/rollback', { reason: 'too many alarms' }],
      ['GET', '/jobs', '/jobs'],
      ['GET', '/jobs/{id}', `/jobs/${job.id}`],
      ['POST', '/jobs/{id}/cancel', `/jobs/${job.id}/cancel`],
      ['PUT', '/schedules/{pipeline}', '/schedules/orders', { cron: '0 3 * * *', timezone: 'Europe/Berlin' }],
      ['GET', '/schedules', '/schedules'],
      ['DELETE', '/schedules/{pipeline}', '/schedules/orders'],
      ['POST', '/jobs', '/jobs', { pipeline: 'orders', reason: 'again' }],
      ['POST', '/jobs/{id}/retry', `/jobs/${job.id}/retry`],
    ]
    for (const [method, path, url, payload] of asked) {
      const { responses } = document.paths[base + path][method.toLowerCase()]
      const answer = await served.api.inject({
        method: method as 'GET',
        url: base + url,
        ...(payload && { payload }),
      })
      expect(`${method} ${url} ${answer.statusCode} ${answer.statusCode === 200 ? '' : answer.body}`).toBe(
        `${method} ${url} 200 `,
      )
      const check = ajv.compile(responses['200'].content['application/json'].schema)
      expect(
        check(answer.json()) || `${url}: ${ajv.errorsText(check.errors)} in ${answer.body.slice(0, 500)}`,
      ).toBe(true)
    }
    const tested = asked.map(([method, path]) => `${method} ${base}${path}`)
    const described = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const others = [`GET ${base}/events`, 'GET /healthz', 'GET /metrics', 'GET /readyz']
    expect([...tested, ...others].sort()).toEqual(described.sort())
  })
})

describe('pipelines', () => {
  it('come with state and reasons', async () => {
    const judged = { ...STATUS, feedback: expect.objectContaining({ labelled: expect.any(Number) }) }
    expect((await get('/pipelines')).json()).toEqual({ items: [judged] })
    expect((await get('/pipelines/orders')).json()).toEqual(judged)
  })

  it('that other processes run are told from their scores', async () => {
    const batch = scoredBatch({ pipeline: 'elsewhere', rows: 100 })
    const recent = new Float64Array(100).fill(Date.now() - 1000)
    await served.store.append({ ...batch, batch: { ...batch.batch, eventTime: recent } })
    await new Promise((resolve) => setTimeout(resolve, 2100))
    const status = (await get('/pipelines/elsewhere')).json()
    expect(status).toMatchObject({ state: 'unknown', records: 100, model_version: 1, nominal_rate: 0.05 })
    expect(status.reasons[0]).toMatch(/comes from its stored scores/)
  })
})

describe('suppressed records', () => {
  it('stay in every answer and can be asked for, or left out', async () => {
    const flagged = async (query: string): Promise<{ suppressed: string | null }[]> =>
      (await get(`/pipelines/orders/anomalies?from=0&limit=1000${query}`)).json().items
    const [all, marked, others] = [
      await flagged(''),
      await flagged('&suppressed=true'),
      await flagged('&suppressed=false'),
    ]
    expect(marked.length).toBeGreaterThan(0)
    expect(others.length).toBeGreaterThan(0)
    expect(marked.length + others.length).toBe(all.length)
    expect(marked.every(({ suppressed }) => suppressed !== null)).toBe(true)
  })
})

describe('feedback', () => {
  const say = (payload: object) =>
    served.api.inject({ method: 'POST', url: `${base}/pipelines/orders/feedback`, payload })

  it('comes by id or with the whole record, and says how precise the alarms were', async () => {
    await say({ id: 'orders-0-4', label: 'anomaly' })
    const record = { amount: 3.5, currency: 'EUR' }
    const { id } = (await say({ record, label: 'false_alarm', note: 'new tariff' })).json()
    expect(id).toBe(contentIdOf(batchOfRows([record]), 0))
    const { items, summary } = (await get('/pipelines/orders/feedback')).json()
    expect(items.slice(-2)).toMatchObject([
      { id: 'orders-0-4', label: 'anomaly' },
      { id, label: 'false_alarm', note: 'new tariff' },
    ])
    expect(summary).toEqual(precisionOf(items))
    expect((await get('/pipelines/orders')).json().feedback).toEqual(summary)
    expect((await say({ id: 'orders-0-4', record, label: 'anomaly' })).statusCode).toBe(400)
  })
})

describe('scores', () => {
  it('page through everything, filtered', async () => {
    const seen: string[] = []
    let cursor = ''
    do {
      const page = (await get(`/pipelines/orders/scores?verdict=normal,unscored&limit=60${cursor}`)).json()
      seen.push(...page.items.map((item: { id: string }) => item.id))
      cursor = page.cursor === null ? '' : `&cursor=${encodeURIComponent(page.cursor)}`
    } while (cursor !== '')
    const flagged = (await get('/pipelines/orders/anomalies?from=0&limit=1000')).json().items
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.length + flagged.length).toBe(400)
    const scores = flagged.map((item: { score: number }) => item.score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
  })

  it('take ISO times and epoch milliseconds, half-open', async () => {
    const iso = '/pipelines/orders/scores?from=2026-03-01T08:00:10Z&to=2026-03-01T08:00:20.000%2B00:00'
    const { items } = (await get(iso)).json()
    expect(items.length).toBe(10)
    expect(
      (await get(`/pipelines/orders/scores?from=${MORNING + 10_000}&to=${MORNING + 20_000}`)).json().items,
    ).toEqual(items)
  })

  it('come as a series whose step suits the range', async () => {
    const { items, step } = (
      await get(`/pipelines/orders/series?from=${MORNING}&to=${MORNING + 400_000}&buckets=10`)
    ).json()
    expect(step).toBe(60_000)
    expect(items.length).toBeGreaterThanOrEqual(7)
    expect(items[0].alarm_rate).toBeCloseTo(items[0].anomalies / (items[0].records - items[0].unscored), 12)
  })

  it('calibrate: uniform p-values lie on the diagonal', async () => {
    const rows = 20_000
    const batch = scoredBatch({ pipeline: 'uniform', rows })
    const pValue = Float64Array.from({ length: rows }, (_, i) => (i + 0.5) / rows)
    const score = pValue.map((p) => -Math.log10(p))
    await served.store.append({ ...batch, pValue, score, verdict: new Uint8Array(rows) })
    await new Promise((resolve) => setTimeout(resolve, 2100))
    const url = `/pipelines/uniform/calibration?from=${MORNING}&to=${MORNING + rows * 1000}`
    const { items, records } = (await get(url)).json()
    expect(records).toBe(rows)
    expect(items.length).toBeGreaterThan(50)
    for (const { nominal, realised } of items) expect(Math.abs(realised - nominal)).toBeLessThan(2 / rows)
  })
})

describe('models', () => {
  it('are promoted and rolled back by name, with who and why', async () => {
    await using own = await serveApi()
    const post = (url: string, payload: object) =>
      own.api.inject({ method: 'POST', url: base + url, payload })
    expect((await post('/models/orders/promote', { version: 3, reason: 'better' })).json().aliases).toEqual([
      'champion',
    ])
    expect((await post('/models/orders/rollback', { reason: 'worse' })).json().version).toBe(2)
    expect((await post('/models/orders/rollback', { reason: 'again' })).json().version).toBe(3)
    const { items } = (await own.api.inject({ url: `${base}/models/orders/history` })).json()
    expect(items[0]).toMatchObject({ version: 3, previous: 2, who: 'local', why: 'again' })
    expect((await post('/models/orders/promote', { version: 99, reason: 'x' })).json()).toMatchObject({
      status: 404,
      code: 'MODEL_NOT_FOUND',
    })
  })

  it('differ where their summaries differ', async () => {
    expect((await get('/models/orders/diff?from=1&to=3')).json().changes).toEqual([
      { path: 'held_out_nll', from: 3.2, to: 2.9 },
      { path: 'window.records', from: 3200, to: 2900 },
    ])
  })
})
