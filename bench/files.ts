/**
 * Scores an Arrow file of 10 million rows × 16 Float32 columns with the command, start to end, and reports records per
 * second of the whole process, its processor time and its peak memory, with and without explanations; the second file
 * is a tenth as long, to show that memory does not follow the size. Beside it the kernel's own rate for the same model:
 * all members over matrices that are there already, in as many threads, before and after each run.
 * Run: npm run build && npx esbuild bench/files.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/files.mjs && node dist/bench/files.mjs [ROWS] [FOLDER]
 * Files that are in the folder already are taken as they are; without one they are made anew and removed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Field, Float32, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct } from 'apache-arrow'
import { contextColumns } from '../src/core/flow-spec.ts'
import { random } from '../src/core/random.ts'
import { readArtifact } from '../src/detect/model-file/artifact.ts'
import { FlowScorer } from '../src/kernel/flow-scorer.ts'
import { loadKernel } from '../src/kernel/kernel.ts'
import { MixtureScorer } from '../src/kernel/mixture-scorer.ts'

const COLUMNS = 16
const BATCH = 65_536
/** Records per call of the kernel, as the detector has it, and how long its own rate is measured. */
const CHUNK = 4096
const KERNEL_MS = 4000
const rows = Number(process.argv[2] ?? 10_000_000)
const given = process.argv[3]
const main = join(process.cwd(), 'dist', 'src', 'cli', 'main.js')

/** Correlated numbers of several scales, written batch by batch. */
async function writeFile(path: string, count: number): Promise<void> {
  if (existsSync(path)) return
  const schema = new Schema(
    Array.from({ length: COLUMNS }, (_, c) => new Field(`f${c}`, new Float32(), false)),
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
      const data = Float32Array.from(
        common,
        (x) => 10 ** (c % 4) * (x * (c % 3) + next.uniform() + next.uniform()),
      )
      return makeData({ type: new Float32(), length, nullCount: 0, data })
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
  readonly cpu_seconds: number
  readonly records_per_second: number
  readonly peak_mib: number
}

const USED = 'used: '
/** KiB and microseconds. Linux counts the peak of a forked parent into maxRSS, so its own high-water mark goes first. */
const REPORT = `data:text/javascript,${encodeURIComponent(`
  import { existsSync, readFileSync } from 'node:fs'
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
    const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
    const peak = /VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? maxRSS
    process.stderr.write('${USED}' + peak + ' ' + (userCPUTime + systemCPUTime))
  })
`)}`

/** Wall time, processor time and peak resident memory of the whole process. */
function run(what: string, args: readonly string[], records: number): Run {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', REPORT, main, ...args, '-o', 'json'],
    { encoding: 'utf8' },
  )
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(stderr)
  const [peak, cpu] = stderr.split(USED)[1].split(' ').map(Number)
  return {
    what,
    records,
    anomalies: JSON.parse(stdout).anomalies ?? 0,
    seconds: Number(seconds.toFixed(2)),
    cpu_seconds: Number((cpu / 1e6).toFixed(2)),
    records_per_second: Math.round(records / seconds),
    peak_mib: Math.round(peak / 1024),
  }
}

/** Records per second of all members of the model, summed over one thread a core. */
async function kernelRate(model: string): Promise<number> {
  const rates = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: model })
    return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0)
}

function scoreMatrices(model: string): number {
  const { manifest, weights } = readArtifact(readFileSync(model))
  const kernel = loadKernel()
  const draw = random(1)
  const out = new Float64Array(CHUNK)
  const members = manifest.members.map(({ view, flow, mixture }, m): (() => void) => {
    const dim = view.dims.length
    const x = Float32Array.from({ length: CHUNK * dim }, () => draw.normal())
    if (mixture) {
      const scorer = new MixtureScorer(kernel, weights[m], dim)
      return () => scorer.weakest(x, CHUNK, undefined, out)
    }
    if (flow === null) return () => {}
    const context = new Float32Array(CHUNK * contextColumns(flow.context))
    const scorer = new FlowScorer(kernel, flow, weights[m])
    return () => scorer.logProb(x, context, CHUNK, out)
  })
  const all = () => {
    for (const member of members) member()
  }
  for (let i = 0; i < 20; i++) all()
  const started = performance.now()
  let scored = 0
  for (; performance.now() - started < KERNEL_MS; scored += CHUNK) all()
  return (1000 * scored) / (performance.now() - started)
}

async function compare(): Promise<void> {
  const folder = given ?? mkdtempSync(join(tmpdir(), 'surprisal-bench-'))
  const file = (name: string) => join(folder, name)
  try {
    await writeFile(file('train.arrow'), 20_000)
    await writeFile(file('tenth.arrow'), rows / 10)
    await writeFile(file('whole.arrow'), rows)
    const model = file('model.safetensors')
    const output = ['--model', model, '--out', file('scored.arrow')]
    if (!existsSync(model)) run('fit', ['fit', file('train.arrow'), '--model', model], 20_000)
    const [processor] = cpus()
    const size = Math.round(statSync(file('whole.arrow')).size / 2 ** 20)
    console.log(
      `${processor.model}, ${availableParallelism()} cores, Node ${process.version}; ${COLUMNS} Float32 columns, ${size} MiB`,
    )
    let before = await kernelRate(model)
    for (const [what, name, count, ...options] of [
      ['score --no-explain, a tenth', 'tenth.arrow', rows / 10, '--no-explain'],
      ['score --no-explain', 'whole.arrow', rows, '--no-explain'],
      ['score', 'whole.arrow', rows],
    ] as const) {
      const result = run(what, ['score', file(name), ...output, ...options], count)
      const after = await kernelRate(model)
      const kernel = (before + after) / 2
      before = after
      console.log(
        JSON.stringify({
          ...result,
          kernel: Math.round(kernel),
          share: (result.records_per_second / kernel).toFixed(2),
        }),
      )
    }
  } finally {
    if (given === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

if (isMainThread) await compare()
else parentPort!.postMessage(scoreMatrices(workerData))
