import type { LiveEvent, LiveFeed } from '../core/ports.ts'
import { ANOMALY, type ScoredBatch, UNSCORED } from '../core/scored.ts'
import { scoredRecord } from '../core/scored-record.ts'

/** Anomalies of one batch that are sent one by one; a storm's others are in the counts and in the store. */
const ANOMALIES_PER_BATCH = 20

/** Passes what happens in this process on to whoever looks on. */
export class LiveHub implements LiveFeed {
  private readonly listeners = new Set<(event: LiveEvent) => void>()

  subscribe(listener: (event: LiveEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  publish(event: LiveEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  /** A scored batch as one count, and its first anomalies. */
  scored(scored: ScoredBatch): void {
    if (this.listeners.size === 0) return
    const { pipeline, verdict } = scored
    let [anomalies, unscored, max] = [0, 0, Number.NEGATIVE_INFINITY]
    for (let row = 0; row < scored.batch.rows; row++) {
      if (verdict[row] === UNSCORED) unscored++
      else max = Math.max(max, scored.score[row])
      if (verdict[row] === ANOMALY && ++anomalies <= ANOMALIES_PER_BATCH)
        this.publish({ kind: 'anomaly', pipeline, record: scoredRecord(scored, row) })
    }
    this.publish({
      kind: 'scores',
      pipeline,
      at: new Date(scored.scoredAt).toISOString(),
      records: scored.batch.rows,
      anomalies,
      unscored,
      score_max: Number.isFinite(max) ? max : null,
    })
  }
}
