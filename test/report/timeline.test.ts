import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Timeline } from '../../src/report/timeline.ts'

describe('Timeline', () => {
  it('keeps every record in at most the limit of buckets, in order, each within its bucket', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e12, max: 1e13 }), { minLength: 1 }), (times) => {
        const timeline = new Timeline(16)
        for (const time of times) timeline.add(time, 1, true)
        const buckets = timeline.buckets()
        expect(buckets.length).toBeLessThanOrEqual(16)
        expect(buckets.reduce((sum, { records }) => sum + records, 0)).toBe(times.length)
        expect(buckets[0].time).toBeLessThanOrEqual(Math.min(...times))
        const last = buckets[buckets.length - 1]
        expect(last.time + last.width).toBeGreaterThan(Math.max(...times))
        for (let i = 1; i < buckets.length; i++) expect(buckets[i].time).toBeGreaterThan(buckets[i - 1].time)
      }),
    )
  })

  it('leaves out times that are not known', () => {
    const timeline = new Timeline()
    timeline.add(Number.NaN, 1, false)
    expect(timeline.buckets()).toEqual([])
  })
})
