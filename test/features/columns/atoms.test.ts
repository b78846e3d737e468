import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { countValues, findAtoms } from '../../../src/features/columns/atoms.ts'

const atomsOf = (values: number[]): number[] => findAtoms(countValues(Float64Array.from(values).sort()))
const r = random(1)
const normal = (n: number, round = (x: number) => x): number[] =>
  Array.from({ length: n }, () => round(20 * r.normal()))

describe('findAtoms', () => {
  it('finds heaps in a continuum, also two side by side', () => {
    expect(atomsOf([...normal(1000), ...Array(100).fill(0)])).toEqual([0])
    expect(atomsOf([...normal(1000), ...Array(100).fill(-99), ...Array(50).fill(-98)])).toEqual([-99, -98])
  })

  it('finds a heap and a sentinel on a grid', () => {
    expect(atomsOf([...normal(1000, Math.round), ...Array(400).fill(0), ...Array(60).fill(999)])).toEqual([
      0, 999,
    ])
  })

  it('finds none in smooth data, on a grid or not, or in a small heap', () => {
    expect(atomsOf(normal(2000))).toEqual([])
    expect(atomsOf(normal(2000, Math.round))).toEqual([])
    expect(atomsOf(Array.from({ length: 5000 }, () => Math.floor(-3 * Math.log(1 - r.uniform()))))).toEqual(
      [],
    )
    expect(atomsOf([...normal(1000), ...Array(15).fill(0)])).toEqual([])
  })

  it('keeps the eight largest', () => {
    const heaps = Array.from({ length: 12 }, (_, k) => Array(30 + k).fill(1000 * k + 0.5)).flat()
    expect(atomsOf([...normal(200), ...heaps]).length).toBeLessThanOrEqual(8)
  })
})
