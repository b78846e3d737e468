import { describe, expect, it } from 'vitest'
import { batchOfRows } from '../../../src/core/record.ts'
import { ANOMALY, NORMAL, type ScoredBatch } from '../../../src/core/scored.ts'
import { Suppression, type SuppressionRule } from '../../../src/detect/rules/suppression.ts'

const SUNDAY = Date.UTC(2026, 0, 4, 12)
const MONDAY = Date.UTC(2026, 0, 5, 12)

/** Flagged delays of two pumps against an expected 100, the last of them unexplained, and a normal record. */
function scored(): ScoredBatch {
  const rows = [
    { pump: 'a', site: 'north', delay: 104, time: SUNDAY },
    { pump: 'b', site: 'south', delay: 60, time: MONDAY },
    { pump: 'a', site: 'south', delay: 200, time: MONDAY },
    { pump: 'a', site: 'north', delay: 100, time: Number.NaN },
    { pump: 'b', site: 'north', delay: 180, time: MONDAY },
  ]
  const pValue = Float64Array.from(rows, (_, row) => (row === 3 ? 0.5 : 0.001))
  const blame = (value: number) => [
    { field: 'delay', surprise_nats: 9, value, expected: 100, normal_low: 90, normal_high: 110 },
    { field: 'site', surprise_nats: 1, value: 'x', expected: 'y', normal_low: null, normal_high: null },
  ]
  return {
    batch: batchOfRows(
      rows.map(({ site, delay }) => ({ site, delay })),
      undefined,
      { eventTime: Float64Array.from(rows, ({ time }) => time), entity: rows.map(({ pump }) => pump) },
    ),
    pipeline: 'pumps',
    modelVersion: 1,
    scoredAt: SUNDAY,
    threshold: 0.01,
    logProb: pValue,
    score: pValue,
    pValue,
    pMethod: new Uint8Array(rows.length),
    verdict: Uint8Array.from(rows, (_, row) => (row === 3 ? NORMAL : ANOMALY)),
    reasons: new Map(),
    attributions: new Map([0, 1, 2].map((row) => [row, blame(rows[row].delay)])),
  }
}
const suppressedBy = (...rules: Omit<SuppressionRule, 'name'>[]) =>
  Object.fromEntries(new Suppression(rules.map((rule, i) => ({ name: `rule ${i}`, ...rule }))).of(scored()))

describe('Suppression', () => {
  it('marks nothing without rules, and never a record that is not flagged', () => {
    expect(suppressedBy()).toEqual({})
    expect(suppressedBy({ entity: ['a', 'b'] })).toEqual({
      0: 'rule 0',
      1: 'rule 0',
      2: 'rule 0',
      4: 'rule 0',
    })
  })

  it.each<[Omit<SuppressionRule, 'name'>, number[]]>([
    [{ entity: ['b', 'c'] }, [1, 4]],
    [{ where: { site: 'north' } }, [0, 4]],
    [{ where: { site: ['south', 'west'], delay: { above: 60 } } }, [2]],
    [{ where: { delay: { above: 100, below: 190 } } }, [0, 4]],
    [{ where: { site: { above: 0 } } }, []],
    [{ where: { absent: 'x' } }, []],
    [{ field: 'delay' }, [0, 1, 2]],
    [{ field: 'site' }, []],
    [{ direction: 'down' }, [1]],
    [{ direction: 'up', entity: ['a'] }, [0, 2]],
    [{ minimum_change: 4 }, []],
    [{ minimum_change: 4.5 }, [0]],
    [{ minimum_change: '50%' }, [0, 1]],
    [{ calendar: { weekdays: ['sun'] } }, [0]],
  ])('%j', (rule, rows) => {
    expect(Object.keys(suppressedBy(rule)).map(Number)).toEqual(rows)
  })

  it('names the first rule that holds', () => {
    expect(suppressedBy({ direction: 'down' }, { entity: ['b'] })).toEqual({ 1: 'rule 0', 4: 'rule 1' })
  })

  it('suppresses nothing by a direction that nobody knows', () => {
    const text = scored()
    const [first] = text.attributions.get(1)!
    const masked = { ...text, attributions: new Map([[1, [{ ...first, value: '***', expected: '***' }]]]) }
    expect(new Suppression([{ name: 'x', direction: 'down' }]).of(masked).size).toBe(0)
  })
})
