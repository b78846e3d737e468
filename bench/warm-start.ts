/**
 * What a retrained detector gains by going on from the champion's flows, on flights of 2001 (vega-datasets): a champion of
 * the first 30 days, then windows of 30 days that begin later, as they are and with planted drifts, learned afresh and
 * warm. Per flow: the held-out NLL before the first step and at the end, and the steps until it is within 0.01 nats of
 * what the fresh fit ends at. Run: npm run build && npx esbuild bench/warm-start.ts --bundle --packages=external \
 *   --platform=node --target=node20 --format=esm --outfile=dist/bench/warm-start.mjs && node dist/bench/warm-start.mjs \
 *   [--rows 20000] [--seed 0] [--only 'a week later']
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { openFlights } from '../src/app/demo/demo-flights.ts'
import type { Column, RecordBatch } from '../src/core/record.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'
import { StreamSample } from '../src/detect/fit/sample.ts'
import { selectRows } from '../src/features/select-rows.ts'

const DAY = 86_400_000
const DAYS = 30
const FIRST = Date.UTC(2001, 0, 1)
const NEAR = 0.01

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
})
const rows = Number(values.rows)
const seed = Number(values.seed)

type Change = (batch: RecordBatch) => RecordBatch
const asTheyAre: Change = (batch) => batch
const windows: readonly (readonly [name: string, afterDays: number, change: Change])[] = [
  ['the same window', 0, asTheyAre],
  ['a week later', 7, asTheyAre],
  ['two months later', 60, asTheyAre],
  ['delays twice as long', 7, numbers('delay', (delay) => 2 * delay + 10)],
  ['distance in kilometres', 7, numbers('distance', (distance) => Math.round(1.609 * distance))],
  ['delays mirrored', 7, numbers('delay', (delay) => -delay)],
  ['delay by distance', 7, byDistance],
  ['places exchanged', 7, exchanged],
]

console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}`)
console.log(`${rows} records of ${DAYS} days each, seed ${seed}; NLL of the flows in their own units, nats\n`)
const champion = await learned(await windowFrom(0, asTheyAre))
for (const [name, days, change] of windows) {
  if (values.only !== undefined && values.only !== name) continue
  const window = await windowFrom(days, change)
  const fresh = await learned(window)
  const warm = await learned(window, { artifact: champion.artifact, version: 1 })
  console.log(`${name}: ${warm.told}`)
  for (const [m, { points }] of fresh.curves.entries()) {
    const final = lowest(points)
    const own = warm.curves[m].points
    const at = (curve: typeof points) => curve.find(({ nll }) => nll <= final + NEAR)?.step ?? 'never'
    console.log(
      `  flow ${m + 1}  fresh ${final.toFixed(3)} (within ${NEAR} at step ${at(points)} of ${points.at(-1)?.step})` +
        `  warm ${lowest(own).toFixed(3)} (at step ${at(own)} of ${own.at(-1)?.step}; first look ${own[0].nll.toFixed(3)})`,
    )
  }
  console.log(
    `  seconds: fresh ${fresh.seconds.toFixed(1)}, warm ${warm.seconds.toFixed(1)}; gate NLL: ${fresh.gate?.toFixed(3)}, ${warm.gate?.toFixed(3)}; gate alarms at 0.01: ${fresh.rate}, ${warm.rate}`,
  )
}

async function learned(
  window: readonly RecordBatch[],
  warmStart?: { artifact: Uint8Array; version: number },
) {
  const curves: { points: { step: number; nll: number }[] }[] = []
  const { artifact, manifest } = await fitDetector(window, {
    seed,
    rate: 0.01,
    backend: 'kernel',
    ...(warmStart && { warmStart }),
    onProgress({ member, step, held_out_nll: nll }) {
      if (member === undefined || step === undefined || nll === undefined) return
      curves[member] ??= { points: [] }
      curves[member].points.push({ step, nll })
    },
  })
  const { gate_nll: gate, gate_rate: rate, seconds } = manifest.metrics
  return { artifact, curves, told: manifest.warm_start, gate, rate, seconds }
}

async function windowFrom(days: number, change: Change): Promise<readonly RecordBatch[]> {
  const [from, to] = [FIRST + days * DAY, FIRST + (days + DAYS) * DAY]
  const sample = new StreamSample(rows, seed + days)
  for await (const batch of (await openFlights(new AbortController().signal)).batches) {
    const times = batch.eventTime as Float64Array
    if (times[0] >= to) break
    const inside = Array.from(times.keys()).filter((row) => times[row] >= from && times[row] < to)
    if (inside.length > 0) sample.add(selectRows(batch, inside))
  }
  return sample.batches.map(change)
}

function numbers(field: string, of: (value: number, row: number) => number): Change {
  return (batch) => {
    const column = batch.columns.get(field) as Extract<Column, { kind: 'number' }>
    return {
      ...batch,
      columns: new Map(batch.columns).set(field, { ...column, values: Float64Array.from(column.values, of) }),
    }
  }
}

function byDistance(batch: RecordBatch): RecordBatch {
  const { values: miles } = batch.columns.get('distance') as Extract<Column, { kind: 'number' }>
  return numbers('delay', (delay, row) => Math.round(delay / 4 + miles[row] / 20))(batch)
}

function exchanged(batch: RecordBatch): RecordBatch {
  const [origin, destination] = ['origin', 'destination'].map((field) => batch.columns.get(field) as Column)
  return { ...batch, columns: new Map(batch.columns).set('origin', destination).set('destination', origin) }
}

function lowest(points: readonly { readonly nll: number }[]): number {
  return Math.min(...points.map(({ nll }) => nll))
}
