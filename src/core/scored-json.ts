import { isoTimes } from './iso-times.ts'
import { offsetOf } from './record.ts'
import { NORMAL, type ScoredBatch } from './scored.ts'
import { scoredRecord } from './scored-record.ts'

/**
 * The wire record of a row as JSON: what JSON.stringify(scoredRecord(scored, row)) gives, byte for byte, in a tenth of
 * its time for a normal row, most of whose text is that of the row before.
 */
export function scoredJson(scored: ScoredBatch): (row: number) => string {
  const { batch, verdict, reasons, logProb, score, pValue, pMethod } = scored
  const { origin, entity } = batch
  const text = JSON.stringify
  const event = isoTimes()
  const id = `{"id":${text(origin.prefix).slice(0, -1)}-`
  const model = `","pipeline":${text(scored.pipeline)},"model_version":${scored.modelVersion},"event_time":`
  const at = `,"scored_at":"${new Date(scored.scoredAt).toISOString()}","entity":`
  const judged = `"is_anomaly":false,"severity":null,"threshold":${number(scored.threshold)},"verdict":"normal"`
  const rank = `,"p_method":"rank",${judged}`
  const tail = `,"p_method":"tail",${judged}`
  const topic = origin.topic === undefined ? '' : `"topic":${text(origin.topic)},`
  const partition = origin.partition === undefined ? '' : `"partition":${origin.partition},`
  const source = `,"reasons":[],"attribution":[],"suppressed":null,"source":{${topic}${partition}"offset":`
  const end = scored.runId === undefined ? '}}' : `},"run_id":${text(scored.runId)}}`
  return (row) => {
    if (verdict[row] !== NORMAL || reasons.has(row)) return text(scoredRecord(scored, row))
    const offset = offsetOf(origin, row)
    const when = event(batch.eventTime?.[row])
    const who = entity?.[row]
    return (
      `${id}${offset}${model}${when === null ? 'null' : `"${when}"`}${at}${who == null ? 'null' : text(who)},` +
      `"log_prob":${number(logProb[row])},"score":${number(score[row])},"p_value":${number(pValue[row])}` +
      `${pMethod[row] === 1 ? tail : rank}${source}${offset}${end}`
    )
  }
}

/** JSON knows no NaN and no infinity. */
function number(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}
