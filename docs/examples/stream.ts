// Put a detector into a Node pipeline: objects in, scored records out, in order and with back pressure.
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fit, scoreStream } from 'surprisal'

const reading = (i: number) => ({ temperature: 20 + 5 * Math.sin(i / 50) + ((i * 7) % 10) / 10, ok: true })
const normal = Array.from({ length: 2000 }, (_, i) => reading(i))
const incoming = Array.from({ length: 500 }, (_, i) =>
  i === 250 ? { temperature: 95, ok: true } : reading(i),
)

const detector = await fit(normal, { rate: 0.001 })

const flagged: string[] = []
await pipeline(
  Readable.from(incoming),
  detector.transform(),
  new Writable({
    objectMode: true,
    write(record, _, done) {
      if (record.is_anomaly) flagged.push(record.id)
      done()
    },
  }),
)
console.log('through a pipeline:', flagged)

for await (const record of scoreStream(detector, incoming)) {
  if (record.is_anomaly) console.log('through an iterator:', record.id, record.severity)
}
await detector[Symbol.asyncDispose]()
