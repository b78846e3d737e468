import { batchOfRows, type RecordBatch } from '../../core/record.ts'
import type { ScoredRecord } from '../../core/scored.ts'
import type { ColumnState, EncoderState } from '../../features/encoder-state.ts'

/** An explained record put together again, and the fields whose values its score does not hold. */
export interface StoredRecord {
  readonly batch: RecordBatch
  readonly assumed: readonly string[]
}

/**
 * The record behind a stored score. An attribution names every modelled field with its value; a constant that it does
 * not name had not changed, and the clock read the event time. What else conditions, and what is masked, is missing.
 */
export function storedRecord(
  record: ScoredRecord,
  { columns }: EncoderState,
  redact: readonly string[],
): StoredRecord {
  const said = new Map(record.attribution.map(({ field, value }) => [field, value]))
  const row: Record<string, unknown> = Object.create(null)
  const assumed: string[] = []
  for (const column of columns) {
    const { field } = column
    if (field === null) continue
    const held = redact.includes(field) ? undefined : heldValue(column, said, record)
    if (held === undefined) assumed.push(field)
    row[field] = held ?? null
  }
  const time = record.event_time === null ? Number.NaN : Date.parse(record.event_time)
  const batch = batchOfRows([row], { prefix: 'stored', offsets: { first: 0 } })
  return { batch: { ...batch, eventTime: Float64Array.of(time) }, assumed }
}

function heldValue(
  column: ColumnState,
  said: ReadonlyMap<string | null, string | number | boolean | null>,
  { event_time }: ScoredRecord,
): unknown {
  const value = said.get(column.field)
  // JSON has no NaN: an attribution says it in words.
  if (value === 'NaN' && column.kind === 'numeric') return Number.NaN
  if (value !== undefined) return value
  if (column.kind === 'constant') return column.value
  if (column.kind !== 'clock' || event_time === null) return undefined
  return column.numbers ? Date.parse(event_time) : new Date(event_time)
}
