import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunningClock } from '../../src/features/running-clock.ts'

describe('RunningClock', () => {
  it('is the median of the last seven times, with a tolerance of twice their spread', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 40 }), (times) => {
        const clock = new RunningClock()
        for (const [i, time] of times.entries()) {
          const last = times.slice(Math.max(0, i - 7), i).sort((a, b) => a - b)
          const off = time - last[3]
          const expected = last.length < 7 ? Number.NaN : Math.abs(off) <= 2 * (last[5] - last[1]) ? 0 : off
          expect(clock.offset(time)).toBe(expected)
          clock.advance(time)
        }
      }),
    )
  })

  it('says 0 on a regular grid, a record with a wrong clock and a short gap included', () => {
    const clock = new RunningClock()
    const off = [1, 2, 3, 4, 5, 6, 7, 8, -500, 9, 10, 14, 15, 16].map((time) => {
      const offset = clock.offset(time)
      clock.advance(time)
      return offset
    })
    expect(off).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, NaN, 0, -505, 0, 0, 0, 0, 0])
  })
})
