import { describe, expect, it } from 'vitest'
import { retrainOptions } from '../../../config/parts.ts'
import { excludedTimes } from '../../../src/app/jobs/retrain-plan.ts'

const times = (exclude: object[], from: string, to: string) =>
  excludedTimes(
    retrainOptions.parse({ exclude, timezone: 'Europe/Berlin' }),
    Date.parse(from),
    Date.parse(to),
  ).map(({ from, to, why }) => [new Date(from).toISOString(), new Date(to).toISOString(), why])

describe('excludedTimes', () => {
  it('takes a maintenance as it stands', () => {
    const one = { from: '2026-03-01T10:00:00+01:00', to: '2026-03-01T12:00:00+01:00', why: 'new firmware' }
    expect(times([one], '2026-01-01', '2026-04-01')).toEqual([
      ['2026-03-01T09:00:00.000Z', '2026-03-01T11:00:00.000Z', 'new firmware'],
    ])
  })

  it('keeps the hour of one that recurs over a change of clocks, and one that reaches into the window', () => {
    const weekly = { cron: '0 22 * * 6', duration: '4h' }
    expect(times([weekly], '2026-03-21T23:00Z', '2026-03-29T00:00Z')).toEqual([
      ['2026-03-21T21:00:00.000Z', '2026-03-22T01:00:00.000Z', undefined],
      ['2026-03-28T21:00:00.000Z', '2026-03-29T01:00:00.000Z', undefined],
    ])
    expect(times([weekly], '2026-03-30T00:00Z', '2026-04-05T00:00Z')).toEqual([
      ['2026-04-04T20:00:00.000Z', '2026-04-05T00:00:00.000Z', undefined],
    ])
  })

  it.each([
    [{ from: '2026-03-01', to: '2026-03-02' }],
    [{ from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' }],
    [{ cron: 'weekly', duration: '4h' }],
    [{ cron: '0 2 * * 0', duration: 'long' }],
  ])('refuses %o', (exclude) => {
    expect(() => retrainOptions.parse({ exclude: [exclude] })).toThrow()
  })
})
