import { type Column, cell } from '../../src/core/record.ts'
import { scoredRecord } from '../../src/core/scored-record.ts'
import { attributionText, keptName, SCORE_COLUMNS } from '../files/score-columns.ts'
import type { ScoredEncoder } from '../files/sink.ts'

/** RFC 4180 with a header row: score columns, then kept input columns. Missing values are empty, lists are JSON. */
export function csvEncoder(keep: readonly string[] = []): ScoredEncoder {
  return {
    begin: () => [line([...SCORE_COLUMNS, ...keep.map(keptName)])],
    encode(scored) {
      const kept = keep.map((name) => scored.batch.columns.get(name))
      const rows: Buffer[] = []
      for (let row = 0; row < scored.batch.rows; row++) {
        const record = scoredRecord(scored, row)
        const values = {
          ...record,
          reasons: record.reasons.length === 0 ? null : JSON.stringify(record.reasons),
          attribution: attributionText(record.attribution),
        }
        rows.push(line([...SCORE_COLUMNS.map((name) => values[name]), ...kept.map((c) => keptCell(c, row))]))
      }
      return rows.length === 0 ? [] : [Buffer.concat(rows)]
    },
    end: () => [],
  }
}

function keptCell(column: Column | undefined, row: number): unknown {
  return column === undefined ? null : cell(column, row)
}

function line(values: readonly unknown[]): Buffer {
  return Buffer.from(`${values.map(field).join(',')}\r\n`)
}

function field(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text =
    value instanceof Date
      ? Number.isNaN(value.getTime())
        ? ''
        : value.toISOString()
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
