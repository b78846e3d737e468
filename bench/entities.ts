/**
 * What watching entities costs a record: one stream of `--entities`, each about as often, one number, batches of 1,000.
 * Run: npm run build && npx esbuild bench/entities.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/entities.mjs && node dist/bench/entities.mjs [--entities 100000] [--records 1000000]
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { random } from '../src/core/random.ts'
import type { RecordBatch } from '../src/core/record.ts'
import type { ScoredBatch } from '../src/core/scored.ts'
import { EntityWatch } from '../src/detect/entities/entity-watch.ts'

const BATCH = 1000

const { values } = parseArgs({
  options: {
    entities: { type: 'string', default: '100000' },
    records: { type: 'string', default: '1000000' },
  },
})
const entities = Number(values.entities)
const draw = random(1)
const names = Array.from({ length: entities }, (_, i) => `host-${i}`)
const habits = {
  gaps: { count: 10_000, high: 2.3, excess: 1, largest: 12 },
  repeats: [{ field: 'x', probability: 0.01, longest: 3 }],
}
const watch = new EntityWatch(habits, { rate: 1e-6, entities: 2 * entities })
// Until each entity's pace is known.
for (let round = 0; round < 25; round++) watch.observe(batch(entities))
const records = Number(values.records)
let alarms = 0
let milliseconds = 0
for (let from = 0; from < records; from += BATCH) {
  const next = batch(BATCH)
  const started = performance.now()
  alarms += watch.observe(next).length
  milliseconds += performance.now() - started
}
const micros = (1000 * milliseconds) / records
console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}`)
console.log(`${entities} entities, ${records} records: ${micros.toFixed(2)} µs a record, ${alarms} alarms`)

let clock = 0
function batch(rows: number): ScoredBatch {
  const eventTime = Float64Array.from({ length: rows }, () => (clock += 10))
  const one: RecordBatch = {
    rows,
    columns: new Map([
      [
        'x',
        { kind: 'number', values: Float64Array.from({ length: rows }, () => draw.normal()), integer: false },
      ],
    ]),
    origin: { prefix: 't-0', offsets: { first: clock }, topic: 't', partition: 0 },
    eventTime,
    entity: Array.from({ length: rows }, () => names[draw.integer(entities)]),
  }
  const pValue = Float64Array.from({ length: rows }, () => draw.uniform())
  const none = new Map()
  return {
    batch: one,
    pipeline: 'bench',
    modelVersion: 1,
    scoredAt: 0,
    threshold: 0.001,
    logProb: pValue,
    score: pValue,
    pValue,
    pMethod: new Uint8Array(rows),
    verdict: new Uint8Array(rows),
    reasons: none,
    attributions: none,
  }
}
