import type { LabelledRecord } from '../../src/core/ports.ts'
import type { SqlValue } from './score-conditions.ts'

/** Both databases keep labels in the table `labels` and take the same statements. */
export const PUT_LABEL = `INSERT INTO labels (pipeline, id, label, who, "at", note) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (pipeline, id) DO UPDATE SET label = excluded.label, who = excluded.who, "at" = excluded."at",
    note = excluded.note`
export const LABELS =
  'SELECT pipeline, id, label, who, "at", note FROM labels WHERE pipeline = $1 ORDER BY "at", id'

export type LabelRow = Omit<LabelledRecord, 'note'> & { readonly note: string | null }

export function labelValues({
  pipeline,
  id,
  label,
  who,
  at,
  note,
}: LabelledRecord): (SqlValue & (string | null))[] {
  return [pipeline, id, label, who, at, note ?? null]
}

export function labelOfRow({ note, ...label }: LabelRow): LabelledRecord {
  return note === null ? label : { ...label, note }
}
