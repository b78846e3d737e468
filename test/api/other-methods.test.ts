import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ServedApi, serveApi } from './served-api.ts'

let served: ServedApi
beforeAll(async () => {
  served = await serveApi({ tokens: [{ role: 'read', name: 'ada', token: 'r'.repeat(24) }] })
})
afterAll(() => served[Symbol.asyncDispose]())

it.each([
  ['DELETE', '/api/v1/pipelines/orders', 'GET, HEAD'],
  ['POST', '/api/v1/schedules/orders', 'DELETE, PUT'],
  ['TRACE', '/api/v1/jobs', 'GET, HEAD, POST'],
  ['PATCH', '/healthz', 'GET, HEAD'],
])('answers %s %s with 405 and the methods it takes', async (method, url, allow) => {
  // A body that no route would take: the method is refused first.
  const body = method === 'TRACE' ? {} : { payload: '{', headers: { 'content-type': 'application/json' } }
  const answer = await served.api.inject({ method: method as 'GET', url, ...body })
  expect(answer.json()).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
  expect(answer.headers.allow).toBe(allow)
})

it('still answers paths that are none with 404, whatever the method', async () => {
  for (const method of ['GET', 'PUT', 'DELETE'] as const)
    expect((await served.api.inject({ method, url: '/api/v1/nothing' })).statusCode).toBe(404)
})
