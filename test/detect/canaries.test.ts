import { describe, expect, it } from 'vitest'
import { batchOfRows, cell, rowOf } from '../../src/core/record.ts'
import { FAULT_KINDS, type FaultKind, plantFaults } from '../../src/detect/canaries.ts'

const CITIES = ['Bern', 'Genf', 'Chur', 'Zug']
const batch = batchOfRows(
  Array.from({ length: 400 }, (_, i) => ({
    distance: 100 + i,
    weight: i / 7,
    from: CITIES[i % 4],
    to: CITIES[(i + 1) % 4],
    at: new Date(Date.UTC(2024, 0, 1) + i * 60_000),
  })),
)

describe('plantFaults', () => {
  it.each([
    ['unit-change', (v: unknown, before: unknown) => v === Math.round((before as number) * 1.609344)],
    [
      'clock-shift',
      (v: unknown, before: unknown) => (v as Date).getTime() === (before as Date).getTime() + 39_600_000,
    ],
    ['unknown-category', (v: unknown) => !CITIES.includes(v as string)],
    ['missing-burst', (v: unknown) => v === null],
  ] as const)('%s changes exactly the rows and fields it names', (kind, wrong) => {
    const fields = { 'unit-change': ['distance'] }
    const { batch: faulty, faults } = plantFaults(batch, { seed: 4, share: 0.1, kinds: [kind], fields })
    expect(faults.length).toBe(40)
    const planted = new Map(faults.map((fault) => [fault.row, fault]))
    for (let row = 0; row < batch.rows; row++) {
      const fault = planted.get(row)
      for (const [name, column] of batch.columns) {
        const before = cell(column, row)
        const after = cell(faulty.columns.get(name)!, row)
        if (fault?.fields.includes(name)) expect(wrong(after, before)).toBe(true)
        else expect(after).toEqual(before)
      }
    }
  })

  it('swaps two columns of one type', () => {
    const { batch: faulty, faults } = plantFaults(batch, { seed: 1, share: 0.05, kinds: ['swapped-columns'] })
    for (const { row, fields } of faults) {
      expect(fields).toHaveLength(2)
      const [before, after] = [rowOf(batch, row), rowOf(faulty, row)]
      expect(after[fields[0]]).toBe(before[fields[1]])
      expect(after[fields[1]]).toBe(before[fields[0]])
    }
  })

  it('combines categories that never come together', () => {
    const { batch: faulty, faults } = plantFaults(batch, {
      seed: 2,
      share: 0.05,
      kinds: ['impossible-combination'],
    })
    const routes = new Set(CITIES.map((city, i) => `${city} ${CITIES[(i + 1) % 4]}`))
    expect(faults.length).toBeGreaterThan(10)
    for (const { row } of faults) {
      const { from, to } = rowOf(faulty, row)
      expect(routes.has(`${from} ${to}`)).toBe(false)
    }
  })

  it('repeats a value over the rows of a burst', () => {
    const { batch: faulty, faults } = plantFaults(batch, { seed: 3, share: 0.1, kinds: ['stuck-value'] })
    for (const { row, fields } of faults) {
      const column = faulty.columns.get(fields[0])!
      expect(cell(column, row)).toBe(cell(column, row - 1))
    }
  })

  it('plants every kind, once a row, the same for the same seed, and leaves its input alone', () => {
    const before = JSON.stringify([...batch.columns])
    const one = plantFaults(batch, { seed: 7, share: 0.2 })
    const two = plantFaults(batch, { seed: 7, share: 0.2 })
    expect(one.faults).toEqual(two.faults)
    expect(one.faults).not.toEqual(plantFaults(batch, { seed: 8, share: 0.2 }).faults)
    expect(new Set(one.faults.map((fault) => fault.kind))).toEqual(new Set<FaultKind>(FAULT_KINDS))
    expect(new Set(one.faults.map((fault) => fault.row)).size).toBe(one.faults.length)
    expect(JSON.stringify([...batch.columns])).toBe(before)
  })

  it('plants nothing where no column suits, and refuses a share that is none', () => {
    const numbers = batchOfRows([{ a: 1 }, { a: 2 }])
    expect(plantFaults(numbers, { seed: 1, share: 1, kinds: ['clock-shift'] }).faults).toEqual([])
    expect(() => plantFaults(numbers, { seed: 1, share: 0 })).toThrowError(
      expect.objectContaining({ code: 'USAGE' }),
    )
  })
})
