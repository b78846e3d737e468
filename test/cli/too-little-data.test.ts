import { afterAll, describe, expect, it } from 'vitest'
import { BadInputs, payments } from './bad-inputs.ts'
import { parseLines, surprisal } from './surprisal.ts'

const inputs = new BadInputs()
afterAll(() => inputs[Symbol.dispose]())

describe('too little to learn from', () => {
  it.each([
    ['no record', payments(), /0 records/],
    ['one record', payments('1.5,2,Bern'), /1 records? to learn from/],
    [
      'fewer records than parameters need',
      payments(...Array.from({ length: 12 }, (_, i) => `${i + 0.5},${i},Bern`)),
      /12 records to learn from, at least 20/,
    ],
    [
      'one distinct value',
      payments(...Array.from({ length: 50 }, () => '1.5,2,Bern')),
      /no column has a density to learn/,
    ],
    [
      'all rows null',
      payments(...Array.from({ length: 50 }, () => ',,')),
      /no column has a density to learn|records/,
    ],
  ])('%s', async (_, content, message) => {
    inputs.expectRefusal(await inputs.fitting(inputs.put('few.csv', content)), 'DATA_INSUFFICIENT', message)
  })

  it('a category of 100,000 levels is learned from, and a new level is scored', async () => {
    const cities = Array.from(
      { length: 100_000 },
      (_, i) => `${(15 + (i % 97) / 20).toFixed(2)},${i % 20},c${i}`,
    )
    inputs.put('levels.csv', payments(...cities))
    const many = inputs.file('levels.safetensors')
    const fitted = await surprisal([
      'fit',
      inputs.file('levels.csv'),
      '--max-rows',
      '1200',
      '--effort',
      '0.1',
      '--model',
      many,
    ])
    expect(fitted.code, fitted.stderr).toBe(0)
    const args = ['score', inputs.put('level.csv', payments('15.5,3,new')), '--model', many, '--out', '-']
    const scored = await surprisal(args)
    expect(scored.code, scored.stderr).toBe(0)
    expect(parseLines(scored.stdout)).toHaveLength(1)
  })
})
