import { describe, expect, it } from 'vitest'
import { spanMs, spanText } from '../../../src/features/windows/span.ts'
import { addedColumns } from '../../../src/features/windows/window-spec.ts'
import { windowField, windowFields } from '../../../src/features/windows/window-terms.ts'

describe('the words for windows', () => {
  it('say what is derived, and how it is called', () => {
    const field = windowField('cpu', [
      'lag 2',
      'difference 1',
      'mean 12',
      'std 12',
      'max 90m',
      'season 1d/96',
    ])
    expect(field).toEqual({
      field: 'cpu',
      lags: [2],
      differences: [1],
      rolling: [
        { size: 12, statistics: ['mean', 'std'] },
        { span: 5_400_000, statistics: ['max'] },
      ],
      seasonal: [{ period: 86_400_000, slots: 96 }],
    })
    const spec = { fields: [field], sincePrevious: true, clock: true, time: 'at' }
    expect(addedColumns(spec).map(({ name, source, context }) => [name, source, context])).toEqual([
      ['cpu[2]', 'cpu', true],
      ['cpu − cpu[1]', 'cpu', false],
      ['mean(cpu, 12)', 'cpu', false],
      ['std(cpu, 12)', 'cpu', false],
      ['max(cpu, 90m)', 'cpu', false],
      ['cpu[1d]', 'cpu', true],
      ['at − at[1]', 'at', false],
      ['at − clock', 'at', false],
    ])
  })

  it('give several fields the same windows', () => {
    expect(windowFields('a, b: lag 1, min 3').map(({ field }) => field)).toEqual(['a', 'b'])
  })

  it.each(['lag', 'lag x', 'mean', 'mean 1y', 'median 3', 'season 24', 'difference 1h'])(
    'refuse "%s"',
    (term) => {
      expect(() => windowField('cpu', [term])).toThrow(/is none of lag K/)
    },
  )

  it('refuse a window without a field', () => {
    expect(() => windowFields('mean 12')).toThrow(/is not FIELD: TERM/)
  })

  it('write spans in the largest unit that divides them', () => {
    expect([1000, 90_000, 5_400_000, 86_400_000, 1_209_600_000].map(spanText)).toEqual([
      '1s',
      '90s',
      '90m',
      '1d',
      '2w',
    ])
    expect(['90s', '1.5h', '2w', '3y', 'h'].map(spanMs)).toEqual([90_000, 5_400_000, 1_209_600_000, NaN, NaN])
  })
})
