import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ScoredRecord } from '../../src/core/scored.ts'
import { demoDensities } from '../web/demo-scores.ts'
import { type ServedApi, serveApi } from './served-api.ts'

let served: ServedApi
let flagged: ScoredRecord
const asked: ScoredRecord[] = []
beforeAll(async () => {
  served = await serveApi(
    {},
    {
      densities: async (record) => {
        asked.push(record)
        return record.model_version === flagged.model_version ? demoDensities(record) : undefined
      },
    },
  )
  const { items } = await served.store.query({ pipeline: 'orders', verdicts: ['anomaly'], limit: 1 })
  flagged = items[0]
})
afterAll(() => served[Symbol.asyncDispose]())

const path = (id: string) => `/api/v1/pipelines/orders/scores/${id}/densities`

describe('the densities of a record', () => {
  it('come from the version that scored it', async () => {
    const answer = await served.api.inject(path(flagged.id))
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual(JSON.parse(JSON.stringify(demoDensities(flagged))))
    expect(asked.at(-1)).toEqual(flagged)
  })

  it('are a 404 where no such score is stored', async () => {
    const answer = await served.api.inject(path('none-1'))
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ status: 404, detail: expect.stringContaining('none-1') })
  })

  it('are a 501 where no model is at hand, and a 409 where those of this pipeline are not', async () => {
    await using none = await serveApi({}, { densities: undefined })
    expect((await none.api.inject(path(flagged.id))).statusCode).toBe(501)
    await using others = await serveApi({}, { densities: async () => undefined })
    expect((await others.api.inject(path(flagged.id))).statusCode).toBe(409)
  })
})
