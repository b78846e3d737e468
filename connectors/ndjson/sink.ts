import { cell } from '../../src/core/record.ts'
import type { ScoredBatch } from '../../src/core/scored.ts'
import { scoredRecords } from '../../src/core/scored-record.ts'
import { keptName } from '../files/score-columns.ts'
import type { ScoredEncoder } from '../files/sink.ts'

/** The wire record of each scored record and the kept input columns after it, one JSON object a line. */
export function ndjsonEncoder(keep: readonly string[] = []): ScoredEncoder {
  return {
    begin: () => [],
    encode: (scored) => (scored.batch.rows === 0 ? [] : [Buffer.from(text(scored, keep))]),
    end: () => [],
  }
}

function text(scored: ScoredBatch, keep: readonly string[]): string {
  let lines = ''
  let row = 0
  for (const record of scoredRecords(scored)) {
    const kept: Record<string, unknown> = {}
    for (const name of keep) {
      const column = scored.batch.columns.get(name)
      kept[keptName(name)] = column === undefined ? null : cell(column, row)
    }
    lines += `${JSON.stringify({ ...record, ...kept })}\n`
    row++
  }
  return lines
}
