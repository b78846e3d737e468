import { expect, it } from 'vitest'
import { precisionOf } from '../../src/core/precision.ts'

it('is confirmed ÷ labelled, and unknown where nothing is labelled', () => {
  const labels = (['anomaly', 'false_alarm', 'anomaly', 'anomaly'] as const).map((label) => ({ label }))
  expect(precisionOf(labels)).toEqual({ labelled: 4, confirmed: 3, false_alarms: 1, precision: 0.75 })
  expect(precisionOf([])).toEqual({ labelled: 0, confirmed: 0, false_alarms: 0, precision: null })
})
