import { describe, expect, it } from 'vitest'
import { SliceSize } from '../../../../connectors/kafka/consume/slice-size.ts'

/** Acknowledges `slices` full slices, one every `fixedMs` plus `eachMs` a record. */
function saturate(size: SliceSize, slices: number, fixedMs: number, eachMs: number): void {
  for (let now = 0, i = 0; i < slices; i++) {
    size.observe(size.of(0), true, now)
    now += fixedMs + eachMs * size.of(0)
  }
}

describe('SliceSize', () => {
  it('finds the size whose slices follow each other at the target', () => {
    const size = new SliceSize(50, 8192)
    expect(size.of(0)).toBe(1024)
    saturate(size, 60, 10, 0.02)
    expect(Math.abs(size.of(0) - 2000)).toBeLessThan(200)
  })

  it('stays within its bounds', () => {
    const size = new SliceSize(50, 4096)
    saturate(size, 30, 500, 1)
    expect(size.of(0)).toBe(256)
    saturate(size, 60, 0.1, 0)
    expect(size.of(0)).toBe(4096)
    expect(new SliceSize(50, 10).of(0)).toBe(10)
  })

  it('learns nothing from slices that waited for records', () => {
    const size = new SliceSize(50, 4096)
    for (let i = 0; i < 10; i++) size.observe(3, false, i * 1000)
    expect(size.of(0)).toBe(1024)
  })

  it('takes half of a long queue at once', () => {
    const size = new SliceSize(50, 4096)
    expect(size.of(2000)).toBe(1024)
    expect(size.of(5000)).toBe(2500)
    expect(size.of(50_000)).toBe(4096)
  })
})
