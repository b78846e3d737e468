import type { Message } from 'kafkajs'
import type { Delivery } from '../../src/core/ports.ts'
import { ANOMALY, type ScoredBatch } from '../../src/core/scored.ts'
import { scoredRecord } from '../../src/core/scored-record.ts'

/** One JSON message per record, or per anomaly, with the key and headers (trace context) of its input. */
export function recordMessages(
  scored: ScoredBatch,
  delivery: Delivery | undefined,
  which: 'all' | 'anomalies',
): Message[] {
  const messages: Message[] = []
  for (let row = 0; row < scored.batch.rows; row++) {
    if (which === 'anomalies' && scored.verdict[row] !== ANOMALY) continue
    const envelope = delivery?.envelope?.(row)
    messages.push({
      key: envelope?.key ?? null,
      value: JSON.stringify(scoredRecord(scored, row)),
      ...(envelope !== undefined && { headers: { ...envelope.headers } }),
    })
  }
  return messages
}

const OVERHEAD = 100

/** Groups that a broker takes as one request each: it refuses record batches over its message.max.bytes. */
export function* inGroups(messages: readonly Message[], maxBytes: number): Generator<Message[]> {
  let group: Message[] = []
  let bytes = 0
  for (const message of messages) {
    const size = sizeOf(message)
    if (group.length > 0 && bytes + size > maxBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(message)
    bytes += size
  }
  if (group.length > 0) yield group
}

function sizeOf({ key, value, headers }: Message): number {
  let bytes = OVERHEAD + (key?.length ?? 0) + lengthOf(value)
  for (const [name, header] of Object.entries(headers ?? {}))
    for (const one of Array.isArray(header) ? header : [header]) bytes += name.length + lengthOf(one ?? null)
  return bytes
}

function lengthOf(value: Buffer | string | null): number {
  if (value === null) return 0
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length
}
