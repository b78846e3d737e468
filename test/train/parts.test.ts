import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crossConformalFolds, splitParts } from '../../src/train/parts.ts'

const all = (rows: number) => Array.from({ length: rows }, (_, i) => i)
const sorted = (...parts: Int32Array[]) => parts.flatMap((part) => [...part]).sort((a, b) => a - b)

describe('splitParts', () => {
  it('puts every row into exactly one part', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.boolean(), fc.boolean(), fc.nat(), (rows, ordered, gate, seed) => {
        const parts = splitParts(rows, { seed, ordered, gate })
        expect(sorted(parts.fit, parts.stop, parts.calibrate, parts.gate)).toEqual(all(rows))
        if (!gate) expect(parts.gate).toHaveLength(0)
      }),
      { numRuns: 50 },
    )
  })

  it('holds out the latest rows where they stand in order, in blocks', () => {
    const { fit, stop, calibrate, gate } = splitParts(1000, { seed: 1, ordered: true })
    expect([fit, stop, calibrate, gate].map((part) => [part[0], part.at(-1)])).toEqual([
      [0, 599],
      [600, 699],
      [700, 899],
      [900, 999],
    ])
  })

  it('draws the same parts for the same seed', () => {
    const draw = (seed: number) => splitParts(500, { seed, ordered: false })
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })

  it('bounds what is held out of millions', () => {
    const { stop, calibrate, gate } = splitParts(3_000_000, { seed: 1, ordered: true })
    expect([stop.length, calibrate.length, gate.length]).toEqual([20_000, 200_000, 100_000])
  })
})

describe('crossConformalFolds', () => {
  it('calibrates on every row once, by what never saw it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 300 }),
        fc.integer({ min: 2, max: 10 }),
        fc.nat(),
        (rows, k, seed) => {
          const folds = crossConformalFolds(rows, k, { seed, ordered: false })
          expect(sorted(...folds.map((fold) => fold.calibrate))).toEqual(all(rows))
          for (const { fit, stop, calibrate } of folds)
            expect(sorted(fit, stop, calibrate)).toEqual(all(rows))
        },
      ),
      { numRuns: 50 },
    )
  })
})
