/**
 * Append rate of a score store, then p50 and p99 of each query while 20,000 records a second are appended, size on disk,
 * and from these a day of 100 million records on paper. Compare stores in one run.
 * Run: npm run build && npx esbuild bench/store.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/store.mjs && node dist/bench/store.mjs [--rows 10000000] [--postgres URL] [--no-duckdb]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { DuckdbScoreStore } from '../connectors/duckdb/score-store.ts'
import { PostgresScoreStore } from '../connectors/postgres/score-store.ts'
import type { ScoreStore } from '../src/core/ports.ts'
import { random } from '../src/core/random.ts'
import { ANOMALY, type FieldSurprise, NORMAL, type ScoredBatch } from '../src/core/scored.ts'

/** Rows of an append: while the store is filled, and while it is asked. */
const FILL = 32_768
const LIVE = 4096
const LIVE_APPENDS = 50
/** Records per second that are appended while queries are asked: a busy stream, 17 times 100 million a day. */
const PACE = 20_000
const RATE = 0.001
const DAY = 86_400_000
const PIPELINE = 'bench'
const REPEATS = 40
const PAPER = 100_000_000

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    postgres: { type: 'string' },
    'no-duckdb': { type: 'boolean', default: false },
  },
})
const rows = Number(values.rows)
const start = Math.floor(Date.now() / DAY) * DAY - DAY
const end = start + DAY
console.log(
  `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, ${rows.toLocaleString('en')} rows`,
)

if (!values['no-duckdb']) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-store-'))
  const path = join(folder, 'scores.duckdb')
  await measure(new DuckdbScoreStore({ path }), async () => (await stat(path)).size)
  await rm(folder, { recursive: true })
}
if (values.postgres !== undefined) {
  const schema = `bench_${Date.now()}`
  const pool = new pg.Pool({ connectionString: values.postgres, max: 1 })
  const size = `SELECT sum(pg_total_relation_size(c.oid))::text AS size FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`
  await measure(new PostgresScoreStore({ url: values.postgres, schema }), async () =>
    Number((await pool.query(size, [schema])).rows[0].size),
  )
  await pool.query(`DROP SCHEMA ${schema} CASCADE`)
  await pool.end()
}

async function measure(store: ScoreStore, bytes: () => Promise<number>): Promise<void> {
  await using opened = store
  await opened.open()
  let offset = 0
  let appended = 0
  /** Appends a batch at the end of the origin; milliseconds without those of making the batch. */
  const append = async (size: number, time: number): Promise<number> => {
    const batch = batchAt(offset, size, time)
    offset += size
    appended += size
    const began = performance.now()
    await opened.append(batch)
    return performance.now() - began
  }
  let filling = 0
  while (appended < rows) filling += await append(FILL, start + (offset / rows) * DAY)
  const perSecond = appended / (filling / 1000)
  let living = 0
  for (let i = 0; i < LIVE_APPENDS; i++) living += await append(LIVE, end + ((offset - rows) / PACE) * 1000)
  const livePerSecond = (LIVE * LIVE_APPENDS) / (living / 1000)
  // A reader looks on while a writer goes on.
  let appending = true
  const writer = (async () => {
    while (appending)
      await sleep(
        Math.max(0, (LIVE / PACE) * 1000 - (await append(LIVE, end + ((offset - rows) / PACE) * 1000))),
      )
  })()
  const asked = await latencies(opened)
  appending = false
  await writer
  await opened.retain(PIPELINE, 0)
  const perRow = (await bytes()) / appended
  console.log(
    `\n${opened.name}: ${thousands(perSecond)} appended/s in batches of ${FILL}, ${thousands(livePerSecond)} in ` +
      `batches of ${LIVE}, ${perRow.toFixed(1)} bytes per record`,
  )
  console.table(asked)
  const hours = PAPER / perSecond / 3600
  console.log(
    `a day of 100 M: ${hours.toFixed(1)} h of one appender, ${((perRow * PAPER) / 1e9).toFixed(1)} GB of rows; ` +
      `roll-ups: 1,464 buckets a day, whatever the volume`,
  )
}

async function latencies(store: ScoreStore): Promise<Record<string, { p50_ms: number; p99_ms: number }>> {
  const { items } = await store.query({ pipeline: PIPELINE, verdicts: ['anomaly'], limit: 200 })
  const day = { pipeline: PIPELINE, from: start, to: end }
  const next = random(1)
  const minute = () => start + Math.floor(next.uniform() * 1400) * 60_000
  const queries: Readonly<Record<string, () => Promise<unknown>>> = {
    'newest 100': () => store.query({ pipeline: PIPELINE, limit: 100 }),
    'newest 100 anomalies': () => store.query({ pipeline: PIPELINE, verdicts: ['anomaly'], limit: 100 }),
    'top 100 anomalies of the day': () =>
      store.query({ ...day, verdicts: ['anomaly'], order: 'score', limit: 100 }),
    'one record': () =>
      store.query({ pipeline: PIPELINE, id: items[next.integer(items.length)].id, limit: 1 }),
    'an entity, an hour': () => {
      const from = minute()
      return store.query({ pipeline: PIPELINE, from, to: from + 3_600_000, entity: 'e17', limit: 100 })
    },
    'the day by minute': () => store.series({ ...day, step: 60_000 }),
    'the day by hour': () => store.series({ ...day, step: 3_600_000 }),
    'ten minutes by second': () => {
      const from = minute()
      return store.series({ pipeline: PIPELINE, from, to: from + 600_000, step: 1000 })
    },
    'calibration of the day': () => store.distribution(day),
  }
  const table: Record<string, { p50_ms: number; p99_ms: number }> = {}
  for (const [name, ask] of Object.entries(queries)) {
    const times: number[] = []
    for (let i = 0; i < REPEATS; i++) {
      const began = performance.now()
      await ask()
      times.push(performance.now() - began)
    }
    times.sort((a, b) => a - b)
    const at = (q: number) =>
      Number(times[Math.min(times.length - 1, Math.ceil(q * times.length) - 1)].toFixed(1))
    table[name] = { p50_ms: at(0.5), p99_ms: at(0.99) }
  }
  return table
}

function batchAt(first: number, size: number, time: number): ScoredBatch {
  const next = random(first + 1)
  const pValue = Float64Array.from({ length: size }, () => next.uniform() + 1e-12)
  const verdict = Uint8Array.from(pValue, (p) => (p <= RATE ? ANOMALY : NORMAL))
  const flagged = [...verdict.keys()].filter((row) => verdict[row] === ANOMALY)
  const spread = (DAY * size) / rows
  return {
    batch: {
      rows: size,
      columns: new Map(),
      origin: { prefix: 'bench-0', offsets: { first }, topic: 'bench', partition: 0 },
      eventTime: Float64Array.from(
        { length: size },
        (_, i) => time + (i / size) * Math.min(spread, (size / PACE) * 1000),
      ),
      entity: Array.from({ length: size }, (_, i) => `e${i % 100}`),
    },
    pipeline: PIPELINE,
    modelVersion: 1,
    scoredAt: Math.floor(time) + 50,
    threshold: RATE,
    pValue,
    score: pValue.map((p) => -Math.log10(p)),
    logProb: pValue.map((p) => Math.log(p) - 10 * next.uniform()),
    pMethod: new Uint8Array(size),
    verdict,
    reasons: new Map(),
    attributions: new Map(flagged.map((row) => [row, blame(next.uniform())])),
  }
}

function blame(x: number): FieldSurprise[] {
  const part = { value: 90 * x, expected: 30, normal_low: 5, normal_high: 80 }
  return ['amount', 'items', 'age'].map((field, i) => ({ field, surprise_nats: 9 / (i + 1), ...part }))
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en')
}
