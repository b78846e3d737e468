import { expect, it } from 'vitest'
import { compact, oneIn } from '../../src/web/format.ts'

it.each([
  [0, '0'],
  [9999, '9,999'],
  [10_000, '10.0 k'],
  [999_499, '999 k'],
  [999_600, '1.00 M'],
  [-43_200, '−43.2 k'],
  [999_700_000, '1.00 G'],
  [2.2e13, '22.0 T'],
  [1e16, '1.00e+16'],
  [0.0123, '0.012'],
  [Number.NaN, '–'],
])('shows %s as %s', (value, text) => {
  expect(compact(value)).toBe(text)
})

it.each([
  [null, '–'],
  [3, '1 in 1,000'],
  [6.22, '1 in 1.66 M'],
  [9, '1 in 10⁹'],
  [13.34, '1 in 10¹³'],
  [50.92, '1 in 10⁵¹'],
])('shows the odds of the score %s as %s', (score, text) => {
  expect(oneIn(score)).toBe(text)
})
