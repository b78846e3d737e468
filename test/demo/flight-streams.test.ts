import { expect, it } from 'vitest'
import { batchOfRows, type RecordBatch, rowOf } from '../../src/core/record.ts'
import { overAndOver } from '../../src/demo/flight-streams.ts'

const HOUR = 3_600_000
const start = Date.UTC(2001, 0, 1, 6)

async function* tenDays(): AsyncGenerator<RecordBatch> {
  const times = [start, start + HOUR, start + 10 * 24 * HOUR]
  for (const time of times)
    yield batchOfRows(
      [{ date: new Date(time), delay: 3 }],
      { prefix: 'flights', offsets: { first: 0 } },
      { eventTime: Float64Array.of(time) },
    )
}

it('repeats a stream without end, weeks later, at the same hours and weekdays', async () => {
  const seen: Date[] = []
  for await (const batch of overAndOver(async () => tenDays())) {
    const { date } = rowOf(batch, 0)
    expect(batch.eventTime?.[0]).toBe((date as Date).getTime())
    if (seen.push(date as Date) === 9) break
  }
  for (const [i, date] of seen.entries()) {
    if (i > 0) expect(date.getTime()).toBeGreaterThan(seen[i - 1].getTime())
    expect(date.getUTCHours()).toBe(seen[i % 3].getUTCHours())
    expect(date.getUTCDay()).toBe(seen[i % 3].getUTCDay())
  }
  expect(seen[3].getTime() - start).toBe(14 * 24 * HOUR)
})

it('ends where there is nothing to repeat', async () => {
  async function* nothing(): AsyncGenerator<RecordBatch> {}
  for await (const _ of overAndOver(async () => nothing())) expect.unreachable()
})
