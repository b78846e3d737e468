import { describe, expect, it } from 'vitest'
import { driftOf, together } from '../../src/api/noticed.ts'
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

describe('driftOf', () => {
  const look = (minute: number, triggered: readonly string[] = []) => ({
    from: new Date(minute * 60_000).toISOString(),
    to: new Date((minute + 1) * 60_000).toISOString(),
    records: 1000,
    fields: [],
    triggered,
  })
  const looks = [look(3), look(2, ['amount']), look(1), look(0, ['country'])]
  const asked = (limit: number, triggered?: boolean) =>
    driftOf(
      { monitor: { drift: async (_: string, most: number) => looks.slice(0, most) } as never },
      'orders',
      { limit, triggered },
    )

  it('gives the newest looks, or of all looks the newest that found some drift or none', async () => {
    expect(await asked(2)).toEqual([looks[0], looks[1]])
    expect(await asked(1, true)).toEqual([looks[1]])
    expect(await asked(9, true)).toEqual([looks[1], looks[3]])
    expect(await asked(1, false)).toEqual([looks[0]])
  })
})
