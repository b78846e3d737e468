/**
 * Scores an Arrow file of 10 million rows × 16 columns with the command, start to end, and reports records per second
 * of the whole process and its peak memory, with and without explanations; the second file is a tenth as long, to show
 * that memory does not follow the size.
 * Run: npm run build && npx esbuild bench/files.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/files.mjs && node dist/bench/files.mjs [ROWS]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Field, Float64, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct } from 'apache-arrow'
import { random } from '../src/core/random.ts'

const COLUMNS = 16
const BATCH = 65_536
const rows = Number(process.argv[2] ?? 10_000_000)
const main = join(process.cwd(), 'dist', 'src', 'cli', 'main.js')

/** Correlated numbers of several scales, written batch by batch. */
async function writeFile(path: string, count: number): Promise<void> {
  const schema = new Schema(
    Array.from({ length: COLUMNS }, (_, c) => new Field(`f${c}`, new Float64(), false)),
  )
  const writer = new RecordBatchFileWriter({ autoDestroy: false })
  const handle = await open(path, 'w')
  const written = (async () => {
    for await (const chunk of writer) await handle.write(chunk)
  })()
  const next = random(1)
  for (let first = 0; first < count; first += BATCH) {
    const length = Math.min(BATCH, count - first)
    const common = Float64Array.from({ length }, () => next.normal())
    const children = schema.fields.map((_, c) => {
      const data = common.map((x) => 10 ** (c % 4) * (x * (c % 3) + next.uniform() + next.uniform()))
      return makeData({ type: new Float64(), length, nullCount: 0, data })
    })
    writer.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, children })))
    await new Promise((resolve) => setImmediate(resolve))
  }
  writer.finish()
  writer.close()
  await written
  await handle.close()
}

interface Run {
  readonly what: string
  readonly records: number
  readonly anomalies: number
  readonly seconds: number
  readonly records_per_second: number
  readonly peak_mib: number
}

const PEAK = 'peak resident KiB: '
const REPORT_PEAK = `data:text/javascript,process.on('exit',()=>process.stderr.write('${PEAK}'+process.resourceUsage().maxRSS))`

/** Wall time and peak resident memory of the whole process. */
function run(what: string, args: readonly string[], records: number): Run {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', REPORT_PEAK, main, ...args, '-o', 'json'],
    { encoding: 'utf8' },
  )
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(stderr)
  return {
    what,
    records,
    anomalies: JSON.parse(stdout).anomalies ?? 0,
    seconds: Number(seconds.toFixed(2)),
    records_per_second: Math.round(records / seconds),
    peak_mib: Math.round(Number(stderr.split(PEAK)[1]) / 1024),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'surprisal-bench-'))
const file = (name: string) => join(folder, name)
try {
  await writeFile(file('train.arrow'), 20_000)
  await writeFile(file('tenth.arrow'), rows / 10)
  await writeFile(file('whole.arrow'), rows)
  const model = file('model.safetensors')
  const score = (name: string, ...options: string[]) => [
    'score',
    file(name),
    '--model',
    model,
    '--out',
    file('scored.arrow'),
    ...options,
  ]
  const runs = [
    run('fit on 20,000 rows', ['fit', file('train.arrow'), '--model', model], 20_000),
    run('score --no-explain, a tenth', score('tenth.arrow', '--no-explain'), rows / 10),
    run('score --no-explain', score('whole.arrow', '--no-explain'), rows),
    run('score', score('whole.arrow'), rows),
  ]
  const [processor] = cpus()
  process.stdout.write(
    `${processor.model}, ${availableParallelism()} cores, Node ${process.version}; ${COLUMNS} float64 columns, ${Math.round(statSync(file('whole.arrow')).size / 2 ** 20)} MiB\n`,
  )
  console.table(runs)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
