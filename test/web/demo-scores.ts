import type { FieldDensity, RecordDensities } from '../../src/core/ports.ts'
import { random } from '../../src/core/random.ts'
import {
  ANOMALY,
  type FieldSurprise,
  NORMAL,
  type ScoredBatch,
  type ScoredRecord,
  UNSCORED,
} from '../../src/core/scored.ts'

export const RATE = 0.001
export const FIELDS = [
  'altitude',
  'air_speed',
  'fuel_flow',
  'heading',
  'cabin_pressure',
  'engine_temperature',
  'phase',
]

/** Scores of a stream in which anomalies come one by one, and once in a storm; with `anomalous`, all are flagged. */
export function scores(
  pipeline: string,
  rows: number,
  state: { offset: number },
  from: number,
  every: number,
  anomalous = false,
): ScoredBatch {
  const next = random(rows + state.offset)
  const first = state.offset
  state.offset += rows
  const storm = (row: number) => row > rows * 0.62 && row < rows * 0.63
  const pValue = Float64Array.from({ length: rows }, (_, row) =>
    anomalous || (storm(row) && next.uniform() < 0.3) ? RATE * 10 ** (-4 * next.uniform()) : next.uniform(),
  )
  const verdict = Uint8Array.from(pValue, (p, row) =>
    p <= RATE ? ANOMALY : row % 997 === 500 ? UNSCORED : NORMAL,
  )
  const flagged = [...verdict.keys()].filter((row) => verdict[row] === ANOMALY)
  return {
    batch: {
      rows,
      columns: new Map(),
      origin: { prefix: `${pipeline}-0`, offsets: { first }, topic: pipeline, partition: 0 },
      eventTime: Float64Array.from({ length: rows }, (_, row) => from + row * every),
      entity: Array.from({ length: rows }, (_, row) => `${pipeline}-${100 + (row % 7)}`),
    },
    pipeline,
    modelVersion: 2,
    scoredAt: Math.round(from + rows * every),
    threshold: RATE,
    pValue,
    score: pValue.map((p) => -Math.log10(p)),
    logProb: pValue.map((p) => 3 * Math.log(p) - 11),
    pMethod: Uint8Array.from(pValue, (p) => (p < 0.05 ? 1 : 0)),
    verdict,
    reasons: new Map(flagged.map((row) => [row, row % 5 === 0 ? ['currency: was always EUR, is USD'] : []])),
    suppressed: new Map(flagged.filter((row) => row % 4 === 3).map((row) => [row, 'maintenance'])),
    attributions: new Map(flagged.map((row) => [row, blame(row, -Math.log(pValue[row]))])),
  }
}

function blame(row: number, nats: number): FieldSurprise[] {
  return FIELDS.map((field, i): FieldSurprise => {
    const share = nats * 0.55 ** ((i + row) % FIELDS.length)
    const low = 100 * (i + 1)
    if (field === 'phase')
      return {
        field,
        surprise_nats: share,
        value: share > 3 ? 'descent' : 'cruise',
        expected: 'cruise',
        normal_low: null,
        normal_high: null,
      }
    return {
      field,
      surprise_nats: share,
      value: share > 4 ? low * 2.4 + row * 0.37 : low * 1.1,
      expected: low * 1.15,
      normal_low: low,
      normal_high: low * 1.3,
    }
  }).sort((a, b) => b.surprise_nats - a.surprise_nats)
}

/** Bell curves in the normal ranges of an attribution, and the levels of its category. */
export function demoDensities({ attribution, log_prob, model_version }: ScoredRecord): RecordDensities {
  const fields = attribution.map((part): FieldDensity => {
    const { normal_low: low, normal_high: high, value } = part
    if (low === null || high === null)
      return {
        ...part,
        observed: null,
        curve: null,
        levels: [
          { value: 'cruise', probability: 0.97, observed: value === 'cruise' },
          { value: 'descent', probability: 0.0297, observed: value === 'descent' },
          { value: 'a taxiway with a name that is far too long', probability: 0.0003, observed: false },
        ],
      }
    const [centre, sigma] = [(low + high) / 2, (high - low) / 3.92]
    const to = Math.max(high + sigma * 3, typeof value === 'number' ? value : 0)
    const x = Array.from({ length: 160 }, (_, i) => low - 3 * sigma + ((to - low + 3 * sigma) * i) / 159)
    const log_density = x.map((at) => -(((at - centre) / sigma) ** 2) / 2 - Math.log(sigma) - 0.919)
    return {
      ...part,
      observed: typeof value === 'number' ? value : null,
      curve: { unit: null, x, log_density },
      levels: part.field === 'heading' ? [{ value: null, probability: 0.04, observed: false }] : [],
    }
  })
  return { model_version, log_prob: log_prob ?? 0, assumed: [], fields }
}
