import type { RecordBatch } from '../../core/record.ts'
import { type Column, columnOf } from '../../core/record.ts'
import { ANOMALY, type FieldSurprise } from '../../core/scored.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import { selectRows } from '../../features/select-rows.ts'
import type { ScoredColumns } from '../threads/scored-columns.ts'

/** "Normal if `field` were `value`": the value nearest to the record's own that is not flagged, all else unchanged. */
export interface Counterfactual {
  readonly field: string
  readonly value: string | number | boolean | null
}

const CANDIDATES = 48
const MOST_FIELDS = 5

/**
 * Looks for the change of one field that would make a flagged record normal, among the fields that are most to blame
 * and the values that their attribution calls normal: a number moves from where it is towards the 95 % range and
 * through it, a category takes its levels. Fields without such a value are left out.
 */
export function nearestNormal(
  batch: RecordBatch,
  row: number,
  attribution: readonly FieldSurprise[],
  encoder: FeatureEncoder,
  score: (batch: RecordBatch) => ScoredColumns,
): Counterfactual[] {
  const found: Counterfactual[] = []
  for (const surprise of attribution.slice(0, MOST_FIELDS)) {
    const column = batch.columns.get(surprise.field)
    if (column === undefined || surprise.surprise_nats === 0) continue
    const candidates = candidatesOf(surprise, column, encoder)
    if (candidates.length === 0) continue
    const { verdict } = score(varied(batch, row, surprise.field, candidates))
    const first = candidates.findIndex((_, i) => verdict[i] !== ANOMALY)
    if (first >= 0) found.push({ field: surprise.field, value: candidates[first] })
  }
  return found
}

type Value = string | number | boolean | null

/** Nearest first. */
function candidatesOf(
  { field, value, expected, normal_low: low, normal_high: high }: FieldSurprise,
  column: Column,
  encoder: FeatureEncoder,
): readonly Value[] {
  if (low !== null && high !== null && (column.kind === 'number' || column.kind === 'mixed')) {
    const [from, to] = [encoder.encodeValue(field, low), encoder.encodeValue(field, high)]
    const own = typeof value === 'number' ? encoder.encodeValue(field, value) : from
    const far = Math.abs(own - from) < Math.abs(own - to) ? to : from
    const line = Array.from({ length: CANDIDATES }, (_, i) =>
      encoder.expected(field, own + ((far - own) * (i + 1)) / CANDIDATES),
    )
    return [...new Set(line)].filter((candidate) => candidate !== value)
  }
  const at = encoder.layout.discrete.findIndex((discrete) => discrete.field === field)
  if (at < 0) return expected === value ? [] : [expected]
  const levels = encoder.levels(at).filter((level) => level !== undefined && level !== value)
  return [expected, ...levels.slice(0, CANDIDATES)].filter((level) => level !== value) as Value[]
}

function varied(batch: RecordBatch, row: number, field: string, values: readonly Value[]): RecordBatch {
  const repeated = selectRows(batch, new Int32Array(values.length).fill(row))
  return { ...repeated, columns: new Map(repeated.columns).set(field, columnOf(values)) }
}
