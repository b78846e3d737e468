import { describe, expect, it } from 'vitest'
import { FetchPace } from '../../../../connectors/kafka/consume/fetch-pace.ts'

const batch = (last: number, end: number) => ({ highWatermark: String(end), lastOffset: () => String(last) })

/** Whether a rest after this batch is over within the same turn of the event loop. */
async function atOnce(pace: FetchPace, last: number, end: number): Promise<boolean> {
  const turn = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))
  return Promise.race([pace.rest(batch(last, end)).then(() => true), turn])
}

describe('FetchPace', () => {
  it('waits where a partition was read to its end', async () => {
    const pace = new FetchPace(200)
    pace.begin()
    expect(await atOnce(pace, 9, 10)).toBe(false)
    await pace.rest(batch(9, 10))
  })

  it('goes on where the partition holds more, or the time has passed', async () => {
    const pace = new FetchPace(60_000)
    pace.begin()
    expect(await atOnce(pace, 9, 11)).toBe(true)
    expect(await atOnce(new FetchPace(0), 9, 10)).toBe(true)
  })
})
