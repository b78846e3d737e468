import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ServedApi, serveApi } from './served-api.ts'

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: 'path' | 'query' }[]
  readonly requestBody?: object
}

let served: ServedApi
let operations: { method: string; path: string; operation: Operation }[]
beforeAll(async () => {
  served = await serveApi({ rate_limit: 1_000_000 })
  const document = (await served.api.inject({ url: '/api/v1/openapi.json' })).json()
  operations = Object.entries<Record<string, Operation>>(document.paths)
    .filter(([path]) => !path.endsWith('/events'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    )
})
afterAll(() => served[Symbol.asyncDispose]())

const value = fc.oneof(
  fc.constantFrom(
    'orders',
    'orders-0-40',
    '1',
    '2',
    '0',
    '-1',
    '1e9',
    '2026-03-01',
    'time',
    'score',
    'normal',
    'null',
  ),
  fc.constantFrom('__proto__', '..', '../..', '%00', "' OR 1=1 --", '🛬', 'NaN', 'Infinity', '{"a":1}', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer().map(String),
  fc.double().map(String),
)
const json = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      pipeline: value,
      version: fc.oneof(fc.integer(), value),
      reason: value,
      cron: value,
      timezone: value,
      id: value,
      label: value,
    },
    { requiredKeys: [] },
  ),
)

it('never answers 5xx to any request of the shape that its OpenAPI document describes', async () => {
  const request = fc.record({
    pick: fc.nat(),
    values: fc.array(value, { minLength: 8, maxLength: 8 }),
    keep: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    body: json,
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ pick, values, keep, body }) => {
      const { method, path, operation } = operations[pick % operations.length]
      const query = new URLSearchParams()
      let url = path
      operation.parameters?.forEach((parameter, i) => {
        const text = values[i % values.length].replace(/\p{Surrogate}/gu, '?')
        if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, encodeURIComponent(text))
        else if (keep[i % keep.length]) query.set(parameter.name, text)
      })
      const answer = await served.api.inject({
        method: method as 'GET',
        url: `${url}?${query}`,
        ...(method !== 'GET' && {
          payload: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      })
      expect(
        answer.statusCode,
        `${method} ${url}?${query} ${JSON.stringify(body)}: ${answer.body}`,
      ).toBeLessThan(500)
      if (answer.statusCode >= 400) expect(answer.headers['content-type']).toMatch(/problem\+json/)
    }),
    { numRuns: 800 },
  )
})
