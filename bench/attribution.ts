/**
 * Milliseconds a record of explaining flagged records, one thread: best and median over batches of up to 64.
 * Run: npm run build && npx esbuild bench/attribution.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/attribution.mjs && node dist/bench/attribution.mjs MODEL DATA [RECORDS]
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { openData } from '../src/app/files/data.ts'
import type { RecordBatch } from '../src/core/record.ts'
import { ANOMALY } from '../src/core/scored.ts'
import { readArtifact } from '../src/detect/model-file/artifact.ts'
import { RecordScorer } from '../src/detect/record-scorer.ts'
import { selectRows } from '../src/features/select-rows.ts'
import { loadKernel } from '../src/kernel/kernel.ts'

const TOGETHER = 64
const ROUNDS = 10
const [, , file, data, wanted = '200'] = process.argv
const model = readArtifact(readFileSync(file))
const { rate } = model.manifest.alerts
const scorer = new RecordScorer(model, loadKernel(), { rate, redact: [] })
const { signal } = new AbortController()
const flagged: RecordBatch[] = []
let records = 0
await using source = await openData({ data: [data] }, {}, signal)
for await (const { batch, ack } of source.deliveries(signal)) {
  const { verdict } = scorer.score(batch)
  const rows = [...verdict.keys()].filter((row) => verdict[row] === ANOMALY).slice(0, TOGETHER)
  if (rows.length > 0) flagged.push(selectRows(batch, rows))
  records += rows.length
  await ack()
  if (records >= Number(wanted)) break
}
const times: number[] = []
for (let round = 0; round < ROUNDS; round++)
  for (const batch of flagged) {
    const start = performance.now()
    scorer.explain(batch)
    times.push((performance.now() - start) / batch.rows)
  }
times.sort((a, b) => a - b)
console.log(
  `${cpus()[0].model}, Node ${process.version}; ${model.manifest.encoder.columns.length} fields, ${records} flagged records: ` +
    `best ${times[0].toFixed(2)}, median ${times[times.length >> 1].toFixed(2)} ms a record`,
)
