import { batchOfRows } from '../../src/core/record.ts'
import { ANOMALY, NORMAL, type ScoredBatch, UNSCORED } from '../../src/core/scored.ts'

export interface SinkBatchOptions {
  readonly rows: number
  readonly first?: number
  readonly prefix?: string
}

/** A scored batch with every verdict and severity, attributions, reasons, gaps in event time, and odd text. */
export function sinkBatch({ rows, first = 0, prefix = 'in-0' }: SinkBatchOptions): ScoredBatch {
  const index = Array.from({ length: rows }, (_, i) => first + i)
  const verdict = Uint8Array.from(index, (i) => (i % 11 === 10 ? UNSCORED : i % 5 === 4 ? ANOMALY : NORMAL))
  const scores = (of: (i: number) => number) =>
    Float64Array.from(index, (i, row) => (verdict[row] === UNSCORED ? Number.NaN : of(i)))
  const records = index.map((i) => ({
    amount: i * 1.25,
    label: i % 2,
    open: i % 3 === 0,
    city: i % 4 === 0 ? null : `Zürich, "${i % 7}"\n`,
    at: new Date(1_700_000_000_000 + i * 1000),
  }))
  const pValue = scores((i) => (i % 5 === 4 ? 0.01 / 10 ** (i % 4) : 0.5))
  return {
    batch: batchOfRows(
      records,
      { prefix, offsets: { first } },
      { eventTime: Float64Array.from(index, (i) => (i % 9 === 8 ? Number.NaN : 1_700_000_000_123 + i)) },
    ),
    pipeline: 'payments',
    modelVersion: 3,
    scoredAt: 1_700_000_100_000,
    threshold: 0.01,
    logProb: scores((i) => -(i + 1) / 3),
    score: pValue.map((p) => -Math.log10(p)),
    pValue,
    pMethod: Uint8Array.from(index, (i) => (i % 5 === 4 ? 1 : 0)),
    verdict,
    suppressed: new Map(
      index.flatMap((i, row) =>
        verdict[row] === ANOMALY && i % 2 === 0 ? [[row, 'night "shift",\n'] as const] : [],
      ),
    ),
    reasons: new Map(
      index.flatMap((i, row) => (verdict[row] === UNSCORED ? [[row, [`amount: "${i}x" is no number`]]] : [])),
    ),
    attributions: new Map(
      index.flatMap((i, row) =>
        verdict[row] === ANOMALY
          ? [
              [
                row,
                [
                  {
                    field: 'amount',
                    surprise_nats: 9.5,
                    value: i,
                    expected: 1,
                    normal_low: 0,
                    normal_high: 2,
                  },
                ],
              ],
            ]
          : [],
      ),
    ),
  }
}
