import { describe, expect, it } from 'vitest'
import { adviceOn, retrainedByEach } from '../../config/advice.ts'
import { pipelineSchema } from '../../config/pipeline.ts'

const REDIS = 'redis://redis:6379'
const config = (extra: object = {}) =>
  pipelineSchema.parse({
    name: 'payments',
    kafka: { 'bootstrap.servers': 'kafka:9092' },
    source: { type: 'kafka', topics: ['payments'] },
    registry: { type: 'redis', url: REDIS },
    retrain: { schedule: '0 3 * * 1' },
    ...extra,
  })

describe('retrainedByEach', () => {
  it('tells where several processes would each retrain', () => {
    expect(retrainedByEach(config())).toContain('type: bullmq')
    expect(retrainedByEach(config({ retrain: { drift: 'recalibrate' } }))).toBeDefined()
    expect(adviceOn(config())).toContain(retrainedByEach(config()))
  })

  it.each([
    ['the queue is shared', { queue: { type: 'bullmq', url: REDIS } }],
    ['nothing retrains', { retrain: {} }],
    ['nothing is shared', { registry: { type: 'fs', path: 'models' } }],
    ['one process reads files', { source: { type: 'file', paths: ['in.arrow'] } }],
  ])('keeps still where %s', (_, extra) => {
    expect(retrainedByEach(config(extra))).toBeUndefined()
  })
})
