import { describe, expect, it } from 'vitest'
import type { Alert, Episode } from '../../src/core/ports.ts'
import { batchOfRows } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { Alerting } from '../../src/pipeline/alerting.ts'
import { unscoredBatch } from '../../src/pipeline/unscored.ts'
import { StubScorer } from './stub-scorer.ts'

const scorer = new StubScorer()
async function anomalies(entities: readonly string[]): Promise<ScoredBatch> {
  const batch = batchOfRows(
    entities.map(() => ({ amount: 999 })),
    undefined,
    { entity: entities },
  )
  return scorer.score(batch, { pipeline: 'pay' })
}
const normal = (rows: number) =>
  scorer.score(batchOfRows(Array.from({ length: rows }, () => ({ amount: 1 }))), { pipeline: 'pay' })

function alerting(options: object = {}) {
  const told: Alert[] = []
  const one = new Alerting('pay', { cooldownMs: 1000, stormLimit: 2, ...options }, (a) => told.push(a), 0)
  return { one, told, states: () => told.splice(0).map(({ kind, state, entity }) => [kind, state, entity]) }
}

describe('Alerting', () => {
  it('tells when an episode begins, once a minute while it goes on, and when it is over', async () => {
    const { one, told, states } = alerting({ cooldownMs: 70_000 })
    one.observe(await anomalies(['a']), 0)
    one.observe(await anomalies(['a']), 1000)
    expect(told[0].summary).toBe('an anomaly of a (pay)')
    expect(states()).toEqual([['episode', 'firing', 'a']])
    one.observe(await anomalies(['a']), 61_000)
    expect(told[0]).toMatchObject({ anomalies: 3, summary: '3 anomalies of a (pay)' })
    expect(states()).toEqual([['episode', 'firing', 'a']])
    one.tick(132_000)
    expect(states()).toEqual([['episode', 'resolved', 'a']])
  })

  it('tells of a storm once instead of each of its episodes', async () => {
    const { one, told, states } = alerting()
    one.observe(await anomalies(['a', 'b', 'c', 'd', 'e']), 0)
    expect(told.at(-1)?.summary).toMatch(/3 episodes began within a minute: only the first 2/)
    expect(states()).toEqual([
      ['episode', 'firing', 'a'],
      ['episode', 'firing', 'b'],
      ['storm', 'firing', null],
    ])
    one.tick(2000)
    expect(states()).toEqual([
      ['episode', 'resolved', 'a'],
      ['episode', 'resolved', 'b'],
    ])
    one.tick(61_000)
    one.tick(122_000)
    expect(states()).toEqual([['storm', 'resolved', null]])
  })

  it('tells when records cannot be scored, and when they can again', async () => {
    const { one, told, states } = alerting()
    const batch = batchOfRows(Array.from({ length: 200 }, () => ({})))
    one.observe(
      unscoredBatch(batch, 'pay', scorer, () => 'column missing'),
      0,
    )
    one.tick(60_000)
    expect(told[0].summary).toBe('100.0 % of the last 200 records could not be scored')
    expect(states()).toEqual([['unscored', 'firing', null]])
    one.observe(await normal(200), 61_000)
    one.tick(121_000)
    expect(states()).toEqual([['unscored', 'resolved', null]])
  })

  it('tells of silence after there were records', async () => {
    const { one, states } = alerting({ silenceMs: 5000 })
    one.tick(1_000_000)
    expect(states()).toEqual([])
    one.observe(await normal(1), 1_000_000)
    one.tick(1_006_000)
    expect(states()).toEqual([['silence', 'firing', null]])
    one.observe(await normal(1), 1_007_000)
    expect(states()).toEqual([['silence', 'resolved', null]])
  })

  it('tells of entities that are strange over time, each kind by itself, and ends that with the model', async () => {
    const changed: Episode[] = []
    const told: Alert[] = []
    const watch = { rate: 1e-6 }
    const one = new Alerting(
      'pay',
      { cooldownMs: 1000, stormLimit: 5, watch },
      (a) => told.push(a),
      0,
      (e) => changed.push(e),
    )
    const habits = { gaps: null, repeats: [{ field: 'amount', probability: 0.001, longest: 1 }] }
    one.learned(habits, 0)
    one.observe(await normal(5), 1000)
    expect(told).toMatchObject([
      { kind: 'stuck', state: 'firing', severity: 'major', fields: ['amount'], anomalies: 0 },
    ])
    expect(told[0].summary).toBe('the stream (pay): amount is 1 for 4 records')
    expect(changed).toMatchObject([{ kind: 'stuck', ended_at: null }])
    one.learned(undefined, 2000)
    expect(told[1]).toMatchObject({ kind: 'stuck', state: 'resolved', id: told[0].id })
    expect(changed[1].ended_at).not.toBeNull()
  })
})
