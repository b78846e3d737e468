import { describe, expect, it } from 'vitest'
import { budgetFor } from '../../src/train/recipe.ts'
import { learningRateAt } from '../../src/train/schedule.ts'

describe('learningRateAt', () => {
  const budget = { ...budgetFor(10_000), steps: 1000, warmup: 100, learningRate: 1e-3 }

  it('climbs to the peak and falls to a fiftieth of it', () => {
    const rates = Array.from({ length: 1000 }, (_, i) => learningRateAt(i + 1, budget))
    const top = rates.indexOf(Math.max(...rates))
    expect(top + 1).toBe(100)
    for (let i = 1; i < rates.length; i++) expect(Math.sign(rates[i] - rates[i - 1])).toBe(i <= top ? 1 : -1)
    expect(rates.at(-1)).toBeCloseTo(2e-5, 12)
  })

  it('starts at the peak without a warm-up', () => {
    expect(learningRateAt(1, { ...budget, warmup: 0 })).toBeCloseTo(1e-3, 6)
  })
})

describe('budgetFor', () => {
  it.each([
    [80, 64, 1000],
    [1000, 128, 1000],
    [5000, 256, 1660],
    [3_000_000, 256, 3000],
  ])('gives %i rows batches of %i for %i steps', (rows, batch, steps) => {
    expect(budgetFor(rows)).toMatchObject({ batch, steps })
  })
})
