import { describe, expect, it } from 'vitest'
import { EpisodeTracker } from '../../src/api/episode-tracker.ts'
import { ANOMALY, NORMAL, type ScoredBatch } from '../../src/core/scored.ts'
import { MORNING, scoredBatch } from '../conformance/scored-batch.ts'

/** A record a second; those at the given seconds are anomalies. */
function seconds(count: number, anomalies: readonly number[], entity: string): ScoredBatch {
  const batch = scoredBatch({ pipeline: 'p', rows: count })
  return {
    ...batch,
    batch: { ...batch.batch, entity: Array(count).fill(entity) },
    pValue: new Float64Array(count).fill(1e-5),
    score: Float64Array.from({ length: count }, (_, i) => i / 100),
    verdict: Uint8Array.from({ length: count }, (_, i) => (anomalies.includes(i) ? ANOMALY : NORMAL)),
    attributions: new Map(
      anomalies.map((row) => [row, [{ ...BLAMED, field: row < 100 ? 'early' : 'late' }]]),
    ),
  }
}
const BLAMED = { field: '', surprise_nats: 9, value: 1, expected: 0, normal_low: 0, normal_high: 1 }
const at = (second: number) => new Date(MORNING + second * 1000).toISOString()

describe('EpisodeTracker', () => {
  it('joins anomalies that follow closely and parts those that do not', () => {
    const tracker = new EpisodeTracker('p', 60_000)
    tracker.observe(seconds(400, [10, 50, 109, 300, 390], 'pump-1'))
    const [open, , first] = tracker.episodes(10)
    expect(first).toMatchObject({
      started_at: at(10),
      ended_at: at(109),
      anomalies: 3,
      entity: 'pump-1',
      severity: 'critical',
      max_score: 1.09,
      fields: ['early', 'late'],
    })
    expect(open).toMatchObject({ started_at: at(390), ended_at: null, anomalies: 1 })
    expect(tracker.episodes(10).length).toBe(3)
    expect(tracker.episodes(1).length).toBe(1)
  })

  it('closes once normal records have passed the gap, and names no entity where there are several', () => {
    const tracker = new EpisodeTracker('p', 60_000)
    tracker.observe(seconds(20, [10], 'pump-1'))
    tracker.observe(seconds(20, [12], 'pump-2'))
    expect(tracker.episodes(1)[0]).toMatchObject({ ended_at: null, entity: null, anomalies: 2 })
    tracker.observe(seconds(200, [], 'pump-1'))
    expect(tracker.episodes(1)[0].ended_at).toBe(at(12))
  })
})
