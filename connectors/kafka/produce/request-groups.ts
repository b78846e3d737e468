import type { Message, TopicMessages } from 'kafkajs'

const OVERHEAD = 100

/** Groups that a broker takes as one request each: it refuses record batches over its message.max.bytes. */
export function* inGroups(outputs: readonly TopicMessages[], maxBytes: number): Generator<TopicMessages[]> {
  let group: TopicMessages[] = []
  let bytes = 0
  for (const { topic, messages } of outputs) {
    let from = 0
    for (let i = 0; i < messages.length; i++) {
      const size = sizeOf(messages[i])
      if (bytes > 0 && bytes + size > maxBytes) {
        if (i > from) group.push({ topic, messages: messages.slice(from, i) })
        yield group
        group = []
        bytes = 0
        from = i
      }
      bytes += size
    }
    if (messages.length > from) group.push({ topic, messages: from === 0 ? messages : messages.slice(from) })
  }
  if (group.length > 0) yield group
}

function sizeOf({ key, value, headers }: Message): number {
  let bytes = OVERHEAD + (key?.length ?? 0) + lengthOf(value)
  for (const name in headers) {
    const header = headers[name]
    for (const one of Array.isArray(header) ? header : [header]) bytes += name.length + lengthOf(one ?? null)
  }
  return bytes
}

function lengthOf(value: Buffer | string | null): number {
  if (value === null) return 0
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length
}
