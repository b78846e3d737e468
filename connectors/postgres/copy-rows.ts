import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { offsetOf } from '../../src/core/record.ts'
import { type ScoredBatch, UNSCORED, VERDICTS } from '../../src/core/scored.ts'
import { severityAt } from '../../src/core/scored-record.ts'
import { eventTimeAt, timeOf } from '../../src/core/scores/intake.ts'

const COPY = `COPY scores (pipeline, run_id, prefix, "offset", topic, partition, model_version, time, event_time_ms,
  scored_at, entity, log_prob, score, p_value, p_method, verdict, severity, threshold, reasons, attribution,
  suppressed)
  FROM STDIN`
const ROWS_PER_WRITE = 512

/** Sends the chosen rows of a batch through COPY, in the transaction of the client. */
export async function copyRows(
  client: PoolClient,
  scored: ScoredBatch,
  rows: readonly number[],
): Promise<void> {
  await pipeline(Readable.from(linesOf(scored, rows)), client.query(copyFrom(COPY)))
}

function* linesOf(scored: ScoredBatch, rows: readonly number[]): Generator<string> {
  const { origin } = scored.batch
  const batch = [scored.pipeline, scored.runId, origin.prefix].map(field).join('\t')
  const source = [origin.topic, origin.partition, scored.modelVersion].map(field).join('\t')
  const scoredAt = new Date(scored.scoredAt).toISOString()
  for (let start = 0; start < rows.length; start += ROWS_PER_WRITE) {
    let lines = ''
    for (const row of rows.slice(start, start + ROWS_PER_WRITE)) {
      const known = scored.verdict[row] !== UNSCORED
      lines += `${batch}\t${offsetOf(origin, row)}\t${source}\t${new Date(timeOf(scored, row)).toISOString()}\t`
      lines += `${field(eventTimeAt(scored, row))}\t${scoredAt}\t${field(scored.batch.entity?.[row])}\t`
      lines += known
        ? `${scored.logProb[row]}\t${scored.score[row]}\t${scored.pValue[row]}\t${scored.pMethod[row] === 1 ? 'tail' : 'rank'}`
        : '\\N\t\\N\t\\N\t\\N'
      lines += `\t${VERDICTS[scored.verdict[row]]}\t${field(severityAt(scored, row))}\t${scored.threshold}\t`
      lines += `${json(scored.reasons.get(row))}\t${json(scored.attributions.get(row))}\t${field(scored.suppressed?.get(row))}\n`
    }
    yield lines
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** A value in COPY's text format; PostgreSQL's text cannot hold NUL, which becomes U+FFFD. */
function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '\\N'
  return storable(String(value)).replace(/[\\\t\n\r]/g, (character) => ESCAPES[character])
}

function json(list: readonly unknown[] | undefined): string {
  if (list === undefined || list.length === 0) return '\\N'
  return field(JSON.stringify(list, (_, value) => (typeof value === 'string' ? storable(value) : value)))
}

/** Text without NUL and lone surrogates, neither of which PostgreSQL takes. */
export function storable(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\ufffd')
}
