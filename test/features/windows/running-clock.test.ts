import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunningClock } from '../../../src/features/windows/running-clock.ts'

function offsets(times: readonly number[]): number[] {
  const clock = new RunningClock()
  return times.map((time) => {
    const offset = clock.offset(time)
    clock.advance(time)
    return offset
  })
}

describe('RunningClock', () => {
  it('measures from the median of the last seven times, or says 0', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 40 }), (times) => {
        for (const [i, offset] of offsets(times).entries()) {
          const last = times.slice(Math.max(0, i - 7), i).sort((a, b) => a - b)
          if (last.length < 7) expect(offset).toBeNaN()
          else expect([0, times[i] - last[3]]).toContain(offset)
          if (last.length === 7 && Math.abs(times[i] - last[3]) <= 10 * (last[5] - last[1]))
            expect(offset).toBe(0)
        }
      }),
    )
  })

  it('says 0 on a regular grid, beside a record with a wrong clock, across a gap and in a burst', () => {
    const regular = Array.from({ length: 60 }, (_, i) => i)
    expect(offsets([...regular, -500, 60, 61, 75, 76, 76, 76, 76, 76, 76, 77]).slice(7)).toEqual([
      ...new Array<number>(53).fill(0),
      -556,
      ...new Array<number>(10).fill(0),
    ])
  })

  it('says 0 from batch to batch where all records of a batch have one time', () => {
    const sparse = Array.from({ length: 3000 }, (_, i) => 600 * i)
    const start = sparse.at(-1)!
    const batches = Array.from({ length: 20_000 }, (_, i) => start + 120 * (1 + Math.floor(i / 50)))
    expect(new Set(offsets([...sparse, ...batches]).slice(7))).toEqual(new Set([0]))
    expect(offsets([...batches, start]).at(-1)).toBeLessThan(-40_000)
  })
})
