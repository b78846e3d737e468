import { describe, expect, it } from 'vitest'
import { batchOfRows } from '../../../src/core/record.ts'
import type { ScoredBatch } from '../../../src/core/scored.ts'
import { Episodes } from '../../../src/detect/entities/episodes.ts'

function scored(rows: readonly { entity: string | null; p: number; field?: string }[]): ScoredBatch {
  const pValue = Float64Array.from(rows, ({ p }) => p)
  return {
    batch: batchOfRows(
      rows.map(() => ({})),
      undefined,
      { entity: rows.map(({ entity }) => entity) },
    ),
    pipeline: 'pay',
    modelVersion: 1,
    scoredAt: 0,
    threshold: 0.01,
    logProb: pValue.map(Math.log),
    score: pValue.map((p) => -Math.log10(p)),
    pValue,
    pMethod: new Uint8Array(rows.length),
    verdict: Uint8Array.from(rows, ({ p }) => (p <= 0.01 ? 1 : 0)),
    reasons: new Map(),
    attributions: new Map(
      rows.map(({ field }, row) => [
        row,
        field === undefined
          ? []
          : [{ field, surprise_nats: 1, value: 1, expected: 0, normal_low: 0, normal_high: 0 }],
      ]),
    ),
  }
}

describe('Episodes', () => {
  it('are not opened, and do not grow, by what a rule suppresses', () => {
    const episodes = new Episodes('pay', { cooldownMs: 1000 })
    const both = scored([
      { entity: 'a', p: 0.01 },
      { entity: 'a', p: 0.001 },
    ])
    expect(
      episodes.observe(
        {
          ...both,
          suppressed: new Map([
            [0, 'x'],
            [1, 'x'],
          ]),
        },
        0,
      ),
    ).toEqual([])
    const [opened] = episodes.observe({ ...both, suppressed: new Map([[1, 'x']]) }, 0)
    expect(opened).toMatchObject({ kind: 'opened', episode: { anomalies: 1, severity: 'warning' } })
  })

  it('opens one per entity, grows it, and resolves it after the cooldown', () => {
    const episodes = new Episodes('pay', { cooldownMs: 1000 })
    const opened = episodes.observe(
      scored([
        { entity: 'a', p: 0.01, field: 'amount' },
        { entity: 'b', p: 0.5 },
        { entity: 'a', p: 0.00001, field: 'amount' },
        { entity: null, p: 0.001 },
      ]),
      0,
    )
    expect(opened.map(({ kind, episode }) => [kind, episode.entity, episode.anomalies])).toEqual([
      ['opened', 'a', 2],
      ['opened', null, 1],
    ])
    const [grew] = episodes.observe(scored([{ entity: 'a', p: 0.01, field: 'fee' }]), 900)
    expect(grew.kind).toBe('grew')
    expect(grew.episode).toMatchObject({
      id: opened[0].episode.id,
      anomalies: 3,
      max_score: 5,
      severity: 'critical',
      fields: ['amount', 'fee'],
      ended_at: null,
    })
    expect(episodes.tick(1100).map(({ kind, episode }) => [kind, episode.entity])).toEqual([
      ['resolved', null],
    ])
    expect(episodes.tick(1900)[0].episode.ended_at).toBe(new Date(1900).toISOString())
    expect(episodes.current).toEqual([])
    expect(episodes.observe(scored([{ entity: 'a', p: 0.001 }]), 5000)[0].episode.id).not.toBe(
      opened[0].episode.id,
    )
  })

  it('is bounded: the quietest episode gives way', () => {
    const episodes = new Episodes('pay', { cooldownMs: 1e9, maxOpen: 2 })
    for (const [i, entity] of ['a', 'b', 'c'].entries()) {
      const changes = episodes.observe(scored([{ entity, p: 0.001 }]), i)
      if (entity === 'c')
        expect(changes.map(({ kind, episode }) => [kind, episode.entity])).toEqual([
          ['opened', 'c'],
          ['resolved', 'a'],
        ])
    }
    expect(episodes.current).toHaveLength(2)
  })
})
