import { random } from '../../src/core/random.ts'
import type { Origin } from '../../src/core/record.ts'
import { ANOMALY, type FieldSurprise, NORMAL, type ScoredBatch, UNSCORED } from '../../src/core/scored.ts'

/** 2026-03-01T08:00:00Z: the event time of offset 0; each offset is a second later. */
export const MORNING = Date.UTC(2026, 2, 1, 8)

export interface ScoredBatchOptions {
  readonly pipeline: string
  readonly rows: number
  readonly first?: number
  readonly offsets?: Float64Array
  readonly seed?: number
  readonly modelVersion?: number
  readonly runId?: string
  readonly prefix?: string
}

/** Uniform p-values, a rate of 5 %, every 41st record unscored, three entities. */
export function scoredBatch(options: ScoredBatchOptions): ScoredBatch {
  const { pipeline, rows, first = 0, seed = 1, modelVersion = 1, runId, prefix = 'orders-0' } = options
  const offsets = options.offsets ?? Float64Array.from({ length: rows }, (_, i) => first + i)
  const origin: Origin = { prefix, offsets, topic: 'orders', partition: 0 }
  const next = random(seed * 1000 + first)
  const threshold = 0.05
  const pValue = Float64Array.from({ length: rows }, () => next.uniform() ** 1.5 + 1e-9)
  const verdict = Uint8Array.from({ length: rows }, (_, i) =>
    offsets[i] % 41 === 40 ? UNSCORED : pValue[i] <= threshold ? ANOMALY : NORMAL,
  )
  const rowsWith = (wanted: number) => [...verdict.keys()].filter((row) => verdict[row] === wanted)
  for (const row of rowsWith(UNSCORED)) pValue[row] = Number.NaN
  return {
    batch: {
      rows,
      columns: new Map(),
      origin,
      eventTime: offsets.map((offset) => MORNING + offset * 1000),
      entity: Array.from(offsets, (offset) => (offset % 7 === 0 ? null : `pump-${offset % 3}`)),
    },
    pipeline,
    modelVersion,
    scoredAt: MORNING + 86_400_000,
    threshold,
    pValue,
    score: pValue.map((p) => -Math.log10(p)),
    logProb: pValue.map((p) => Math.log(p) - 3),
    pMethod: Uint8Array.from(pValue, (p) => (p <= threshold ? 1 : 0)),
    verdict,
    reasons: new Map(rowsWith(UNSCORED).map((row) => [row, [`amount: 'abc' is not a number`]])),
    attributions: new Map(rowsWith(ANOMALY).map((row) => [row, blame(row)])),
    suppressed: new Map(rowsWith(ANOMALY).flatMap((row) => (row % 3 === 0 ? [[row, `it's "known"`]] : []))),
    ...(runId !== undefined && { runId }),
  }
}

/** What no sane producer sends: control characters, quotes, extreme scores, far-off and absent times. */
export function hostileBatch(pipeline: string): ScoredBatch {
  const base = scoredBatch({ pipeline, rows: 6, prefix: `weird/путь "x" 'y'\t\\N, {a}` })
  const text = `a\tb\nc\\d"e'f;--$1 ünï 💥 \\N`
  return {
    ...base,
    batch: {
      ...base.batch,
      eventTime: Float64Array.from([Number.NaN, -1, 0, 4e12, Number.POSITIVE_INFINITY, MORNING + 0.75]),
      entity: [text, '', '\\N', null, 'NULL', '{"a":1}'],
    },
    verdict: Uint8Array.from([ANOMALY, ANOMALY, NORMAL, ANOMALY, UNSCORED, NORMAL]),
    score: Float64Array.from([1e5, 308, 5e-324, 12.25, Number.NaN, 0]),
    logProb: Float64Array.from([-1e308, -5e-324, 1e308, -0.1, Number.NaN, 0.1 + 0.2]),
    pValue: Float64Array.from([5e-324, 1e-308, 1, 1e-12, Number.NaN, 1]),
    reasons: new Map([[4, [text, '', '\\N']]]),
    suppressed: new Map([
      [1, text],
      [3, '\\N'],
    ]),
    attributions: new Map([
      [
        0,
        [
          {
            field: text,
            surprise_nats: 1e300,
            value: text,
            expected: null,
            normal_low: -1e308,
            normal_high: 0,
          },
        ],
      ],
      [
        1,
        [
          {
            field: '__proto__',
            surprise_nats: 1,
            value: true,
            expected: false,
            normal_low: null,
            normal_high: null,
          },
        ],
      ],
    ]),
  }
}

function blame(row: number): FieldSurprise[] {
  return [
    {
      field: 'amount',
      surprise_nats: 9.5 + row,
      value: 900 + row,
      expected: 30,
      normal_low: 5,
      normal_high: 80,
    },
    {
      field: 'currency',
      surprise_nats: 2,
      value: 'XAU',
      expected: 'EUR',
      normal_low: null,
      normal_high: null,
    },
  ]
}
