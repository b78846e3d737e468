import { expect, it, vi } from 'vitest'
import type { JobHandler, RetrainQueue, RetrainRequest } from '../../src/core/ports.ts'

/** What every RetrainQueue promises of its schedules. */
export function scheduleRules(queue: () => RetrainQueue, work: (handler: JobHandler) => void): void {
  it('enqueues by cron until the schedule is removed', async () => {
    const seen: RetrainRequest[] = []
    work(async ({ job }) => {
      seen.push(job.request)
      return {}
    })
    await queue().schedule('flights', '* * * * * *', 'Europe/Berlin')
    await queue().schedule('flights', '* * * * * *', 'Europe/Berlin')
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(1)
    expect(seen[0]).toMatchObject({ pipeline: 'flights', trigger: 'schedule' })
    expect(await queue().schedules()).toMatchObject([{ pipeline: 'flights', timezone: 'Europe/Berlin' }])
    await queue().schedule('flights', null)
    expect(await queue().schedules()).toEqual([])
  })

  it.each([
    [
      'keeps the wall-clock hour before the clock changes',
      '30 3 * * *',
      '2026-03-27T12:00Z',
      '2026-03-28T02:30Z',
    ],
    ['keeps it after', '30 3 * * *', '2026-03-28T12:00Z', '2026-03-29T01:30Z'],
    [
      'runs at its end the hour that the change leaves out',
      '30 2 * * *',
      '2026-03-28T12:00Z',
      '2026-03-29T01:00Z',
    ],
    ['runs in the first of two equal hours', '30 2 * * *', '2026-10-24T12:00Z', '2026-10-25T00:30Z'],
    ['does not run in the second', '30 2 * * *', '2026-10-25T00:31Z', '2026-10-26T01:30Z'],
  ])('by daylight saving in Berlin: %s', async (_, cron, now, next) => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(now) })
    try {
      await queue().schedule('flights', cron, 'Europe/Berlin')
      const [found] = await queue().schedules()
      expect(found).toMatchObject({ cron, next: new Date(next).toISOString() })
    } finally {
      vi.useRealTimers()
    }
  })

  it('refuses what is no cron expression or no time zone', async () => {
    await expect(queue().schedule('flights', 'every day')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(queue().schedule('flights', '0 3 * * *', 'Mars/Olympus')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
}
