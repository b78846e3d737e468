import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUnclearDate, parseTime } from '../../src/core/parse-time.ts'

const DAY = Date.UTC(2024, 4, 6)
const MOMENT = DAY + (7 * 60 + 8) * 60_000

describe('parseTime', () => {
  it.each([
    ['2024-05-06', DAY],
    ['2024/05/06', DAY],
    ['2024.05.06', DAY],
    ['6 May 2024', DAY],
    ['06-May-2024', DAY],
    ['06/May/2024', DAY],
    ['May 06 2024', DAY],
    ['May 6, 2024', DAY],
    ['Mon, 6 May 2024', DAY],
    ['2024-05-06T07:08', MOMENT],
    ['2024-05-06 07:08:00', MOMENT],
    ['2024-05-06T09:08:00+02:00', MOMENT],
    ['2024-05-06T09:08:00.000+0200', MOMENT],
    ['Mon, 06 May 2024 07:08:00 GMT', MOMENT],
    ['Mon, 06 May 2024 09:08:00 +0200', MOMENT],
    ['06/May/2024:09:08:00 +0200', MOMENT],
    ['Mon May 06 2024 09:08:00 GMT+0200', MOMENT],
    ['May 6, 2024 07:08', MOMENT],
    ['Sept. 1, 2024', Date.UTC(2024, 8, 1)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
  ])('reads %s', (text, time) => {
    expect(parseTime(text)).toBe(time)
  })

  it.each([
    '',
    '12',
    '2024',
    '05/06/2024',
    '6.5.2024',
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-05/06',
    '2024-05-06T25:00',
    '6 Mayday 2024',
    '6 Smarch 2024',
    '31 June 2024',
    '0 May 2024',
    'May 2024',
    'room 5 2024-05-06',
    'tomorrow',
  ])('does not guess %j', (text) => {
    expect(parseTime(text)).toBeNaN()
  })

  it('gives back every moment that is written in ISO 8601', () => {
    const moments = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    fc.assert(fc.property(moments, (date) => parseTime(date.toISOString()) === date.getTime()))
  })

  it('takes no time at all for a hostile text', () => {
    for (const unit of ['M', ' ', '1', 'May ', ',', 'a, '])
      expect(parseTime(`${unit.repeat(200_000)}!`)).toBeNaN()
  })
})

describe('isUnclearDate', () => {
  it.each(['05/06/2024', '5-6-24', '5.6.2024', '5/6/2024 07:08'])('%s', (text) => {
    expect(isUnclearDate(text)).toBe(true)
  })
  it.each(['2024-05-06', '1.2.30', '10.0.0.1', '555-12-34567', '5/6', '12'])('not %s', (text) => {
    expect(isUnclearDate(text)).toBe(false)
  })
})
