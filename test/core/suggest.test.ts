import { describe, expect, it } from 'vitest'
import { closest, editDistance } from '../../src/core/suggest.ts'

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ])('%s → %s is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })
})

describe('closest', () => {
  it('finds a slip and ignores strangers', () => {
    expect(closest('amuont', ['amount', 'count'])).toBe('amount')
    expect(closest('Kafak', ['kafka', 'redis'])).toBe('kafka')
    expect(closest('zzz', ['amount', 'count'])).toBeUndefined()
    expect(closest('a', [])).toBeUndefined()
  })
})
