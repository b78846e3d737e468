import { describe, expect, it } from 'vitest'
import { together } from '../../src/api/noticed.ts'
import type { PipelineStatus, ShadowReport } from '../../src/core/ports.ts'

const status: PipelineStatus = {
  name: 'orders',
  state: 'running',
  reasons: [],
  records_per_second: 1,
  records: 100,
  anomalies: 2,
  unscored: 0,
  since: '2026-01-02T00:00:00.000Z',
  lag: 3,
  nominal_rate: 0.01,
  realised_rate: 0.02,
  model_version: 3,
  model_created_at: null,
}
const shadow: ShadowReport = {
  version: 4,
  since: '2026-01-02T00:00:00.000Z',
  records: 10,
  skipped: 1,
  both: 2,
  neither: 3,
  only_champion: 4,
  only_challenger: 1,
  unscored: 0,
}

describe('together', () => {
  it('sums what all processes saw of the newest challenger', () => {
    const earlier = { ...shadow, since: '2026-01-01T00:00:00.000Z', unscored: 5 }
    const older = { ...shadow, version: 2 }
    const all = [{ ...status, shadow }, status, { ...status, shadow: earlier }, { ...status, shadow: older }]
    expect(together(all).shadow).toEqual({
      version: 4,
      since: earlier.since,
      records: 20,
      skipped: 2,
      both: 4,
      neither: 6,
      only_champion: 8,
      only_challenger: 2,
      unscored: 5,
    })
  })

  it('tells of no challenger where no process has one', () => {
    expect(together([status, status])).not.toHaveProperty('shadow')
  })
})
