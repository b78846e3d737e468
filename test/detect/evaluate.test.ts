import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/detect/evaluate.ts'

describe('evaluate', () => {
  it('agrees with figures worked out by hand', () => {
    const score = [0.9, 0.8, 0.7, 0.6, 0.5]
    const label = [1, 0, 1, 0, 0]
    const result = evaluate(
      score,
      score.map((s) => 1 - s),
      label,
      0.2,
    )
    expect(result.auroc).toBeCloseTo(5 / 6, 12)
    expect(result.auprc).toBeCloseTo((1 + 2 / 3) / 2, 12)
    expect(result.realised_rate).toBeCloseTo(1 / 3, 12)
    expect(result.recall).toBe(0.5)
    expect(result.precision).toBe(0.5)
  })

  it('counts ties half and leaves out unscored rows', () => {
    const result = evaluate([1, 1, 1, Number.NaN], [1, 1, 1, Number.NaN], [1, 0, 0, 1], 0.01)
    expect(result).toMatchObject({ records: 3, anomalies: 1, auroc: 0.5, precision: 0 })
    expect(result.auprc).toBeCloseTo(1 / 3, 12)
  })

  it('needs both labels', () => {
    expect(() => evaluate([1, 2], [1, 1], [0, 0], 0.01)).toThrowError(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    )
  })
})
