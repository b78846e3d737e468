import { describe, expect, it } from 'vitest'
import { random } from '../../../src/core/random.ts'
import { batchOfRows, type RecordBatch } from '../../../src/core/record.ts'
import type { ScoredBatch } from '../../../src/core/scored.ts'
import { type EntityAlarm, EntityWatch } from '../../../src/detect/entities/entity-watch.ts'
import { HabitLearner } from '../../../src/detect/entities/habits.ts'

const MINUTE = 60_000
const RATE = 1e-6

type Reading = { readonly at: Date; readonly host: string; readonly x: number; readonly level: number }

/** Three hosts, about a minute apart; x varies, level stays the same nine times in ten. */
function readings(count: number, seed: number, from = 0): Reading[] {
  const draw = random(seed)
  const level = [5, 5, 5]
  let at = from
  return Array.from({ length: count }, (_, i) => {
    const h = i % 3
    at += 20_000 * (0.5 + draw.uniform())
    if (draw.uniform() < 0.1) level[h] = draw.integer(100)
    return { at: new Date(Math.round(at)), host: 'abc'[h], x: draw.normal(), level: level[h] }
  })
}
const named = { entity: 'host', time: 'at' }

function learned() {
  const learner = new HabitLearner(named)
  learner.add(batchOfRows(readings(6000, 1)))
  return learner.habits()
}

function scored(batch: RecordBatch, p: (row: number) => number = () => 0.5): ScoredBatch {
  const pValue = Float64Array.from({ length: batch.rows }, (_, row) => p(row))
  const none = new Map()
  return {
    batch,
    pipeline: 't',
    modelVersion: 1,
    scoredAt: 0,
    threshold: 0.001,
    logProb: pValue,
    score: pValue,
    pValue,
    pMethod: new Uint8Array(batch.rows),
    verdict: new Uint8Array(batch.rows),
    reasons: none,
    attributions: none,
  }
}
const endOf = (list: readonly Reading[]): number => +list[list.length - 1].at
const told = (alarms: readonly EntityAlarm[]) =>
  alarms.map(({ kind, state, entity }) => [kind, state, entity])

describe('HabitLearner', () => {
  it('learns gaps in units of the entity’s own, and how often values repeat', () => {
    const { gaps, repeats, entity } = learned()
    expect(entity).toBe('host')
    expect(gaps?.count).toBeGreaterThan(5000)
    expect(gaps?.largest).toBeGreaterThan(1)
    expect(gaps?.largest).toBeLessThan(2)
    expect(repeats.map(({ field }) => field)).toEqual(['x', 'level'])
    expect(repeats[0].probability).toBeLessThan(0.001)
    expect(repeats[0].longest).toBe(1)
    expect(repeats[1].probability).toBeCloseTo(0.9, 1)
  })

  it('knows no gaps of data without times', () => {
    const learner = new HabitLearner({})
    learner.add(
      batchOfRows(
        Array.from({ length: 500 }, (_, i) => ({ x: i })),
        undefined,
      ),
    )
    expect(learner.habits().gaps).toBeNull()
  })
})

describe('EntityWatch', () => {
  it('tells nothing of records like those it was taught by', () => {
    const draw = random(9)
    const watch = new EntityWatch(learned(), { rate: 1e-9 })
    const alarms = [1, 2, 3, 4].flatMap((i) =>
      watch.observe(scored(batchOfRows(readings(6000, 10 + i, i * 1e9)), () => draw.uniform())),
    )
    // A new start is a gap for every host.
    expect(alarms.filter(({ kind }) => kind !== 'silent')).toEqual([])
    expect(alarms.filter(({ state, kind }) => kind === 'silent' && state === 'firing')).toHaveLength(9)
  })

  it('hears that one entity is silent from the records of the others, and that it is back', () => {
    const watch = new EntityWatch(learned(), { rate: RATE })
    const first = readings(300, 2)
    watch.observe(scored(batchOfRows(first)))
    const more = readings(300, 3, endOf(first))
    const others = more.filter(({ host }) => host !== 'b')
    const alarms = watch.observe(scored(batchOfRows(others)))
    expect(told(alarms)).toEqual([['silent', 'firing', 'b']])
    expect(alarms[0].summary).toMatch(/^no record for \d+ (minutes|hours)$/)
    const back = watch.observe(scored(batchOfRows(readings(30, 4, endOf(more)))))
    expect(told(back)).toEqual([['silent', 'resolved', 'b']])
  })

  it('hears the silence of many, each at its own pace, in the order in which they fall silent', () => {
    const draw = random(4)
    const records: Reading[] = []
    for (let h = 0; h < 200; h++) {
      const pace = MINUTE * 2 ** (h % 6)
      for (let at = pace * draw.uniform(); at < 4000 * MINUTE; at += pace * (0.5 + draw.uniform()))
        if (h % 3 > 0 || at < 2000 * MINUTE)
          records.push({ at: new Date(at), host: `h${h}`, x: draw.normal(), level: draw.normal() })
    }
    records.sort((a, b) => +a.at - +b.at)
    const watch = new EntityWatch(learned(), { rate: RATE, kinds: ['silent'] })
    const alarms = Array.from({ length: Math.ceil(records.length / 100) }, (_, i) =>
      watch.observe(scored(batchOfRows(records.slice(100 * i, 100 * i + 100)))),
    ).flat()
    const stopped = Array.from({ length: 67 }, (_, i) => `h${3 * i}`)
    expect(alarms.every(({ state }) => state === 'firing')).toBe(true)
    expect(alarms.map(({ entity }) => entity).sort()).toEqual(stopped.sort())
    expect(alarms[0].since).toBeLessThan(alarms[66].since ?? 0)
  })

  it('times a stream of one entity by the clock on the wall', () => {
    const watch = new EntityWatch(learned(), { rate: RATE })
    const alone = readings(300, 2).filter(({ host }) => host === 'a')
    watch.observe(scored(batchOfRows(alone)), 1_000_000)
    expect(watch.tick(1_000_000 + MINUTE)).toEqual([])
    expect(told(watch.tick(1_000_000 + 60 * MINUTE))).toEqual([['silent', 'firing', 'a']])
    expect(watch.tick(1_000_000 + 61 * MINUTE)).toEqual([])
    expect(told(watch.close())).toEqual([['silent', 'resolved', 'a']])
  })

  it('tells that a field is stuck, by how often it repeats itself as a rule', () => {
    const watch = new EntityWatch(learned(), { rate: RATE, kinds: ['stuck'] })
    watch.observe(scored(batchOfRows(readings(300, 2))))
    const stuck = readings(120, 3, 110 * MINUTE).map((r) => (r.host === 'c' ? { ...r, x: 1.5, level: 7 } : r))
    const alarms = watch.observe(scored(batchOfRows(stuck)))
    expect(alarms.map(({ kind, entity, fields }) => [kind, entity, ...fields])).toEqual([['stuck', 'c', 'x']])
    expect(alarms[0].summary).toBe('x is 1.5 for 4 records')
    const alarmsAfter = watch.observe(scored(batchOfRows(readings(3, 4, 160 * MINUTE))))
    expect(told(alarmsAfter)).toEqual([['stuck', 'resolved', 'c']])
    const longer = readings(2000, 5, 200 * MINUTE).map((r) => (r.host === 'c' ? { ...r, level: 7 } : r))
    expect(watch.observe(scored(batchOfRows(longer))).map(({ fields }) => fields)).toEqual([['level']])
  })

  it('tells that records are too typical, and that they vary again', () => {
    const draw = random(3)
    const habits = { ...learned(), repeats: [], gaps: null }
    const watch = new EntityWatch(habits, { rate: RATE })
    const of = (count: number, p: () => number) =>
      watch.observe(scored(batchOfRows(Array.from({ length: count }, () => ({ host: 'a' }))), p))
    expect(of(20_000, () => draw.uniform())).toEqual([])
    expect(told(of(2000, () => 0.9 + 0.1 * draw.uniform()))).toEqual([['regular', 'firing', 'a']])
    expect(told(of(3000, () => draw.uniform()))).toEqual([['regular', 'resolved', 'a']])
  })

  it('makes false alarms of typicality at about the rate it is told', () => {
    const draw = random(8)
    const watch = new EntityWatch({ gaps: null, repeats: [] }, { rate: 1e-4 })
    let firing = 0
    for (let i = 0; i < 100; i++) {
      const alarms = watch.observe(
        scored(batchOfRows(Array.from({ length: 10_000 }, () => ({}))), () => draw.uniform()),
      )
      firing += alarms.filter(({ state }) => state === 'firing').length
    }
    expect(firing).toBeGreaterThan(50)
    expect(firing).toBeLessThan(200)
  })

  it('keeps bounded state, and ends the alarms of who is forgotten', () => {
    const habits = { ...learned(), repeats: [{ field: 'x', probability: 0.001, longest: 1 }] }
    const watch = new EntityWatch(habits, { rate: RATE, entities: 2 })
    const same = (host: string, count: number) =>
      batchOfRows(Array.from({ length: count }, (_, i) => ({ host, x: 1, at: new Date(i) })))
    expect(told(watch.observe(scored(same('a', 5))))).toEqual([['stuck', 'firing', 'a']])
    watch.observe(scored(same('b', 1)))
    expect(told(watch.observe(scored(same('c', 1))))).toEqual([['stuck', 'resolved', 'a']])
  })
})
