import { describe, expect, it } from 'vitest'
import { random } from '../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../src/core/record.ts'
import { Novelty } from '../../src/detect/novelty.ts'
import { FeatureEncoder } from '../../src/features/encoder.ts'
import { fitEncoder } from '../../src/features/encoder-fit.ts'
import { StreamWindows } from '../../src/features/windows/stream-windows.ts'
import { windowOverrides } from '../../src/features/windows/window-plan.ts'
import type { WindowSpec } from '../../src/features/windows/window-spec.ts'

const ROWS = 2000

const batchOf = (records: readonly { readonly x: number; readonly kind: string }[]): RecordBatch =>
  batchOfRows(records)

const draws = random(3)
const learned = batchOf(
  Array.from({ length: ROWS }, (_, i) => ({ x: draws.normal(), kind: i % 3 === 0 ? 'a' : 'b' })),
)
const encoder = fitEncoder([learned])
const noveltyOf = (x: number, kind = 'a', by = encoder) =>
  new Novelty(by).of(by.encode(batchOf([{ x, kind }])))[0]

describe('novelty', () => {
  it('is 0 for known parts, and grows without a bound as a number leaves its column', () => {
    expect(noveltyOf(0)).toBe(0)
    const far = [4, 6, 10, 1e3, 1e9].map((x) => noveltyOf(x))
    expect(far[0]).toBeGreaterThan(0)
    expect(far).toEqual([...far].sort((a, b) => a - b))
    expect(new Set(far).size).toBe(far.length)
    expect(noveltyOf(-6)).toBeGreaterThan(0)
  })

  it('costs few of the records it was learned from', () => {
    const found = new Novelty(encoder).of(encoder.encode(learned))
    expect(found.filter((nats) => nats > 0)).toHaveLength(14)
  })

  it('adds what an unseen level is to what a far number is', () => {
    const level = noveltyOf(0, 'c')
    expect(level).toBeGreaterThan(5)
    expect(noveltyOf(6, 'c')).toBeCloseTo(level + noveltyOf(6), 12)
  })

  it('is of what a record does and how restless its past was, not of the level that its past had', () => {
    const spec: WindowSpec = {
      fields: [
        { field: 'x', differences: [1], rolling: [{ size: 8, statistics: ['mean', 'std', 'min', 'max'] }] },
      ],
    }
    const { state } = fitEncoder([new StreamWindows(spec).append(learned)], {
      overrides: windowOverrides(spec),
    })
    const fringed = state.columns.flatMap((c) => (c.kind === 'numeric' && c.fringe ? [c.field] : []))
    expect(fringed.sort()).toEqual(['std(x, 8)', 'x', 'x − x[1]'])
  })

  it('says nothing of numbers under a model from before there were fringes', () => {
    const { columns, ...rest } = encoder.state
    const before = FeatureEncoder.fromState({
      ...rest,
      columns: columns.map((column) => {
        if (column.kind !== 'numeric') return column
        const { fringe, ...without } = column
        expect(fringe).toBeDefined()
        return without
      }),
    })
    expect(noveltyOf(1e9, 'a', before)).toBe(0)
    expect(noveltyOf(0, 'c', before)).toBe(noveltyOf(0, 'c'))
  })
})
