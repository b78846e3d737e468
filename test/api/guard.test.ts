import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { apiOptions } from '../../src/api/options.ts'
import { Tokens } from '../../src/api/tokens.ts'
import { SurprisalError } from '../../src/core/errors.ts'
import { serveApi } from './served-api.ts'

const READ = 'r'.repeat(24)
const OPERATE = 'o'.repeat(24)
const tokens = [
  { role: 'read', name: 'grafana', token: READ },
  { role: 'operate', name: 'ada', token: OPERATE },
]
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('tokens', () => {
  it('are asked for as soon as there are any', async () => {
    await using served = await serveApi({ tokens })
    const ask = (headers: Record<string, string>, method: 'GET' | 'POST' = 'GET', url = '/api/v1/models') =>
      served.api.inject({
        method,
        url,
        headers,
        ...(method === 'POST' && { payload: { pipeline: 'orders' } }),
      })
    const refused = await ask({})
    expect(refused.statusCode).toBe(401)
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer/)
    expect(refused.json().detail).toMatch(/Authorization: Bearer/)
    expect((await ask(bearer('x'.repeat(24)))).statusCode).toBe(401)
    expect((await ask({ authorization: `Basic ${READ}` })).statusCode).toBe(401)
    expect((await ask(bearer(READ))).statusCode).toBe(200)
    expect((await ask(bearer(READ), 'POST', '/api/v1/jobs')).statusCode).toBe(403)
    const job = await ask(bearer(OPERATE), 'POST', '/api/v1/jobs')
    expect(job.json().request.who).toBe('ada')
    for (const url of ['/healthz', '/readyz', '/api/v1/openapi.json'])
      expect((await ask({}, 'GET', url)).statusCode).toBe(200)
    expect((await ask({}, 'GET', '/metrics')).statusCode).toBe(401)
    expect((await ask({}, 'GET', '/api/v1/events')).statusCode).toBe(401)
  })

  it('must be there where others may reach the server', () => {
    const options = apiOptions.parse({ host: '0.0.0.0' })
    expect(() => new Tokens(options, '')).toThrow(/nobody may use it/)
    expect(new Tokens(options, `read:me:${READ}`).caller(`Bearer ${READ}`)).toEqual({
      name: 'me',
      role: 'read',
    })
    expect(new Tokens({ ...options, auth: 'off' }, '').required).toBe(false)
    expect(new Tokens(apiOptions.parse({ host: '::1' }), '').required).toBe(false)
  })

  it('come from a file, and a bad line is named without its secret', () => {
    const file = join(tmpdir(), `tokens-${process.pid}`)
    writeFileSync(file, `# who may what\n\noperate:ada:${OPERATE}\r\n`)
    const options = apiOptions.parse({ tokens_file: file })
    expect(new Tokens(options, '').caller(`Bearer ${OPERATE}`)?.name).toBe('ada')
    writeFileSync(file, 'admin:ada:secretsecretsecret')
    const refusal = (() => {
      try {
        return new Tokens(options, '')
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(SurprisalError)
    expect((refusal as SurprisalError).message).not.toContain('secretsecret')
    expect(() => new Tokens({ ...options, tokens_file: `${file}-none` }, '')).toThrow(/cannot read/)
    expect(() => new Tokens(apiOptions.parse({}), 'read:me:short')).toThrow(/16 characters/)
  })
})

describe('every answer', () => {
  it('carries security headers and no CORS', async () => {
    await using served = await serveApi()
    const { headers } = await served.api.inject({
      url: '/api/v1/models',
      headers: { origin: 'https://evil.example' },
    })
    expect(headers['content-security-policy']).toMatch(/default-src 'none'/)
    expect(headers['content-security-policy']).not.toMatch(/unsafe/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  it('allows the origins that are configured, and no other', async () => {
    await using served = await serveApi({ cors_origins: ['https://ops.example'], tokens })
    const preflight = (origin: string) =>
      served.api.inject({ method: 'OPTIONS', url: '/api/v1/models', headers: { origin } })
    const allowed = await preflight('https://ops.example')
    expect(allowed.statusCode).toBe(204)
    expect(allowed.headers['access-control-allow-origin']).toBe('https://ops.example')
    expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined()
  })

  it('is refused to pages of other sites where no token protects the server', async () => {
    await using served = await serveApi()
    const ask = (headers: Record<string, string>) => served.api.inject({ url: '/api/v1/models', headers })
    expect((await ask({ host: 'rebound.example:8080' })).statusCode).toBe(421)
    expect((await ask({ host: 'localhost:8080', 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403)
    expect((await ask({ host: '127.0.0.1:8080', 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200)
    expect((await ask({ host: '[::1]:8080' })).statusCode).toBe(200)
  })

  it('is refused above the rate limit', async () => {
    await using served = await serveApi({ rate_limit: 3 })
    const codes = []
    for (let i = 0; i < 5; i++) codes.push((await served.api.inject({ url: '/api/v1/models' })).statusCode)
    expect(codes).toEqual([200, 200, 200, 429, 429])
    const refused = await served.api.inject({ url: '/api/v1/models' })
    expect(refused.json()).toMatchObject({ status: 429, title: 'Too Many Requests' })
    expect((await served.api.inject({ url: '/healthz' })).statusCode).toBe(200)
  })
})

describe('health', () => {
  it('says why it is not ready', async () => {
    const registry = new Registry()
    const reasons = ['kafka: no partition is assigned yet']
    await using served = await serveApi({}, { unready: async () => reasons, metrics: registry })
    const ready = await served.api.inject({ url: '/readyz' })
    expect(ready.statusCode).toBe(503)
    expect(ready.json()).toEqual({ status: 'not ready', reasons })
    expect((await served.api.inject({ url: '/metrics' })).headers['content-type']).toMatch(/text\/plain/)
    served.store.pipelines = () => Promise.reject(new Error('disk on fire'))
    expect((await served.api.inject({ url: '/readyz' })).json().reasons[1]).toBe('score store: disk on fire')
  })

  it('hides what broke inside and names the request', async () => {
    await using served = await serveApi()
    served.registry.models = () => Promise.reject(new Error('secret path /etc/x'))
    const answer = await served.api.inject({ url: '/api/v1/models' })
    expect(answer.statusCode).toBe(500)
    expect(answer.json().detail).not.toMatch(/secret/)
    served.registry.models = () =>
      Promise.reject(new SurprisalError('SERVICE_UNREACHABLE', 'Redis does not answer'))
    const unreachable = await served.api.inject({ url: '/api/v1/models' })
    expect(unreachable.statusCode).toBe(503)
    expect(unreachable.headers['retry-after']).toBe('5')
  })
})
