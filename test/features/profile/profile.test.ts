import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows } from '../../../src/core/record.ts'
import type { ColumnKind } from '../../../src/features/profile/column-kind.ts'
import { type ColumnProfile, type Overrides, profileColumns } from '../../../src/features/profile/profile.ts'

const N = 400
const r = random(1)

function profileOf(value: (i: number) => unknown, overrides: Overrides = {}, rows = N): ColumnProfile {
  const records = Array.from({ length: rows }, (_, i) => ({ x: value(i) }))
  const half = Math.floor(rows / 2)
  return profileColumns([batchOfRows(records.slice(0, half)), batchOfRows(records.slice(half))], overrides)[0]
}

const kinds: readonly [string, ColumnKind, RegExp, (i: number) => unknown][] = [
  ['fractions', 'numeric', /fractions/, () => r.normal()],
  ['whole numbers', 'integer', /whole/, () => Math.round(50 * r.normal())],
  ['few numbers', 'low-cardinality', /5 different/, (i) => i % 5],
  ['booleans', 'boolean', /true in 200/, (i) => i % 2 === 0],
  ['texts', 'category', /3 different texts/, (i) => 'abc'[i % 3]],
  ['whole numbers as text', 'category', /50 different texts/, (i) => String(i % 50)],
  ['decimals as text', 'numeric', /every text is a number/, () => r.normal().toFixed(2)],
  ['postcodes', 'category', /90 different/, (i) => `0${100 + (i % 90)}`],
  ['ISO times', 'timestamp', /every text is a time/, (i) => new Date(1.7e12 + 1e6 * i).toISOString()],
  ['dates in words', 'timestamp', /a time/, (i) => new Date(1.7e12 + 864e5 * i).toUTCString()],
  ['dates in any order', 'ignored', /may mean two days/, (i) => `${1 + (i % 12)}/${1 + (i % 9)}/2024`],
  ['dates', 'timestamp', /points in time/, (i) => new Date(1.7e12 + 1e6 * i)],
  ['epoch milliseconds', 'timestamp', /milliseconds/, (i) => 1.7e12 + 1000 * ((i * 7919) % 5000)],
  ['one value', 'constant', /always 'EUR'/, () => 'EUR'],
  ['one number', 'constant', /always 3/, () => 3],
  ['nothing', 'constant', /missing in all 400/, () => null],
  ['one number, sometimes missing', 'low-cardinality', /1 different/, (i) => (i % 3 === 0 ? null : 3)],
  ['increasing ids', 'identifier', /only ever increase/, (i) => 1000 + 3 * i],
  ['shuffled ids', 'identifier', /never repeat/, (i) => (i * 7919) % N],
  ['names', 'identifier', /400 different texts in 400/, (i) => `user-${i}`],
  ['objects', 'ignored', /objects or lists/, () => ({ a: 1 })],
  ['two types', 'ignored', /200 number, 200 string/, (i) => (i % 2 === 0 ? i : 'x')],
  ['not one finite number', 'ignored', /no finite/, () => Number.NaN],
]

describe('profileColumns', () => {
  for (const [name, kind, why, value] of kinds) {
    it(`takes ${name} as ${kind} and says why`, () => {
      const profile = profileOf(value)
      expect(profile.kind).toBe(kind)
      expect(profile.why).toMatch(why)
      expect(JSON.parse(JSON.stringify(profile))).toEqual(profile)
    })
  }

  it('counts what is missing and not finite', () => {
    const odd = [null, Number.NaN, Number.POSITIVE_INFINITY, undefined]
    expect(profileOf((i) => (i < 4 ? odd[i] : r.normal()))).toMatchObject({
      rows: N,
      missing: 2,
      nan: 1,
      infinite: 1,
    })
  })

  it('counts a column that some batches lack as missing there', () => {
    const [x] = profileColumns([batchOfRows([{ y: 1 }]), batchOfRows([{ x: 1, y: 2 }])]).filter(
      (p) => p.field === 'x',
    )
    expect(x).toMatchObject({ rows: 2, missing: 1 })
  })

  it('finds atoms and steps apart', () => {
    const { numbers } = profileOf((i) => (i % 5 === 0 ? 999.5 : Math.round(1000 * r.normal()) / 4))
    expect(numbers).toMatchObject({ atoms: [999.5], step: 0.25 })
  })

  it('lets overrides decide', () => {
    expect(profileOf((i) => i, { x: { kind: 'integer' } })).toMatchObject({ kind: 'integer' })
    expect(profileOf((i) => i, { x: { ignore: true } })).toMatchObject({
      kind: 'ignored',
      why: 'ignored as configured',
    })
    expect(profileOf((i) => `user-${i}`, { x: { context: true } })).toMatchObject({
      kind: 'category',
      context: true,
    })
    expect(profileOf((i) => i % 100, { x: { kind: 'category' } }).why).toMatch(
      /as configured; the rules say integer/,
    )
  })

  it('samples many rows fairly and by seed', () => {
    const draw = (): ColumnProfile => profileOf((i) => i + 0.5, {}, 150_000)
    const { numbers } = draw()
    expect(numbers!.quantiles!.p50 / 150_000).toBeCloseTo(0.5, 1)
    expect(Math.abs(numbers!.quantiles!.p95 / 150_000 - 0.95)).toBeLessThan(0.01)
    expect(draw()).toEqual(draw())
  })
})
