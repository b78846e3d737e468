import type { Message } from 'kafkajs'
import type { Delivery } from '../../../src/core/ports.ts'
import { ANOMALY, type ScoredBatch } from '../../../src/core/scored.ts'
import { scoredJson } from '../../../src/core/scored-json.ts'

/** One JSON message per row, with the key and headers (trace context) of its input. */
export function recordMessages(
  scored: ScoredBatch,
  delivery: Delivery | undefined,
  rows: Iterable<number>,
): Message[] {
  const messages: Message[] = []
  const json = scoredJson(scored)
  const envelopeOf = delivery?.envelope
  for (const row of rows) {
    const value = json(row)
    if (envelopeOf === undefined) {
      messages.push({ key: null, value })
      continue
    }
    const { key, headers } = envelopeOf(row)
    messages.push({ key, value, headers })
  }
  return messages
}

export function* everyRow({ batch }: ScoredBatch): Generator<number> {
  for (let row = 0; row < batch.rows; row++) yield row
}

export function* anomalousRows({ batch, verdict }: ScoredBatch): Generator<number> {
  for (let row = 0; row < batch.rows; row++) if (verdict[row] === ANOMALY) yield row
}
