import { describe, expect, it } from 'vitest'
import { calendarOf } from '../../../src/detect/rules/calendar.ts'

const at = (iso: string) => Date.parse(iso)

describe('calendarOf', () => {
  it('holds on the weekdays and hours of its zone, summer time included', () => {
    const holds = calendarOf({ weekdays: ['mon'], from: '08:00', to: '10:00', timezone: 'Europe/Berlin' })
    expect(holds(at('2026-01-05T07:00:00Z'))).toBe(true)
    expect(holds(at('2026-01-05T06:59:59Z'))).toBe(false)
    expect(holds(at('2026-01-05T09:00:00Z'))).toBe(false)
    expect(holds(at('2026-07-06T06:00:00Z'))).toBe(true)
    expect(holds(at('2026-01-06T07:30:00Z'))).toBe(false)
  })

  it('counts the hours after midnight to the day before', () => {
    const holds = calendarOf({ weekdays: ['sat'], from: '22:00', to: '06:00' })
    expect(holds(at('2026-01-03T23:00:00Z'))).toBe(true)
    expect(holds(at('2026-01-04T05:59:00Z'))).toBe(true)
    expect(holds(at('2026-01-03T05:00:00Z'))).toBe(false)
    expect(holds(at('2026-01-04T22:30:00Z'))).toBe(false)
  })

  it('takes a cron expression, and with hours as well both must hold', () => {
    const holds = calendarOf({ cron: '* 2-4 1 * *', to: '03:30' })
    expect(holds(at('2026-02-01T02:15:42Z'))).toBe(true)
    expect(holds(at('2026-02-01T03:45:00Z'))).toBe(false)
    expect(holds(at('2026-02-02T02:15:00Z'))).toBe(false)
    expect(() => calendarOf({ cron: 'whenever' })).toThrow(/"whenever" is no cron expression/)
  })

  it('holds always where nothing restricts it', () => {
    expect(calendarOf({})(at('2026-02-01T02:15:42Z'))).toBe(true)
  })
})
