/**
 * Time until the held-out NLL of one Real NVP is within 0.05 nats of its final value, per backend and for PyTorch, which
 * start from the same weights and see the same batches. Evaluation is not timed. One thread each, then two.
 * Run: npm run build && npx esbuild bench/train.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/train.mjs &&
 *   python3 -m venv v && v/bin/pip install torch numpy && node dist/bench/train.mjs --python v/bin/python [BACKEND...]
 *   [--steps 1500] [--repeats 3] [--limit 60]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/core/errors.ts'
import type { FlowWeights, Matrix } from '../src/core/flow-spec.ts'
import { packageRoot } from '../src/core/package-root.ts'
import { random } from '../src/core/random.ts'
import { realNvp } from '../src/flow/architectures.ts'
import { parameterCount } from '../src/flow/layout.ts'
import { initialWeights } from '../src/flow/weights.ts'
import { type BackendName, chooseBackend } from '../src/train/backend.ts'
import { KernelTrainer } from '../src/train/kernel-trainer.ts'
import { learningRateAt } from '../src/train/schedule.ts'
import type { FlowTrainer } from '../src/train/trainer.ts'

const DIM = 16
const ROWS = { train: 40_000, heldOut: 5000 }
const NEAR = 0.05
const SPEC = realNvp({ dim: DIM, steps: 8, hidden: [64, 64] })

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    steps: { type: 'string', default: '1500' },
    repeats: { type: 'string', default: '3' },
    limit: { type: 'string', default: '60' },
  },
})
const steps = Number(values.steps)
const repeats = Number(values.repeats)
/** Seconds of training after which a slow engine is cut off. */
const limit = Number(values.limit)
const BUDGET = {
  batch: 256,
  steps,
  learningRate: 1e-3,
  warmup: 100,
  evaluateEvery: Math.ceil(steps / 30),
  patience: 1e9,
}

/** Seconds of training so far, the held-out NLL there, and the steps. */
type Curve = readonly (readonly [seconds: number, nll: number, step: number])[]

const train = records(ROWS.train, 1)
const heldOut = records(ROWS.heldOut, 2)
const order = batchOrder()
const start = await startingWeights()
const runs = new Map<string, Curve[]>()
let torchVersion = ''
const keep = (name: string, curve: Curve): void => {
  runs.set(name, [...(runs.get(name) ?? []), curve])
  console.error(`${name}: ${curve.at(-1)?.[0].toFixed(1)} s`)
}
// One engine after another, again and again: a busy spell of the machine is shared.
for (let round = 0; round < repeats; round++) {
  for (const threads of [0, 2].filter((n) => n <= availableParallelism())) {
    await using trainer = KernelTrainer.create(SPEC, start, { threads })
    keep(`kernel, ${Math.max(1, threads)} threads`, await curveOf(trainer))
  }
  if (values.python !== undefined) for (const n of [1, 2]) keep(`PyTorch, ${n} threads`, torch(n))
}
for (const name of positionals as BackendName[]) {
  const size = { batch: BUDGET.batch, parameters: parameterCount(SPEC) }
  try {
    await using trainer = await (await chooseBackend(name, size, { timeoutMs: 60_000 })).create(SPEC, start)
    keep(name, await curveOf(trainer))
  } catch (error) {
    console.error(`${name} is not here: ${messageOf(error)}`)
  }
}
report()

async function curveOf(trainer: FlowTrainer): Promise<Curve> {
  const batch: Matrix = { rows: BUDGET.batch, columns: DIM, data: new Float32Array(BUDGET.batch * DIM) }
  const curve: [number, number, number][] = []
  let seconds = 0
  for (let step = 1; step <= BUDGET.steps; step++) {
    const began = performance.now()
    for (let i = 0; i < BUDGET.batch; i++) {
      const row = order[(step - 1) * BUDGET.batch + i]
      batch.data.set(train.data.subarray(row * DIM, (row + 1) * DIM), i * DIM)
    }
    await trainer.step(batch, undefined, learningRateAt(step, BUDGET))
    seconds += (performance.now() - began) / 1000
    const cut = seconds > limit
    if (step % BUDGET.evaluateEvery > 0 && step < BUDGET.steps && !cut) continue
    // Steps of some engines are only queued until something is read.
    const reading = performance.now()
    await trainer.loss()
    seconds += (performance.now() - reading) / 1000
    curve.push([seconds, -mean(await trainer.logProb(heldOut)), step])
    if (cut) break
  }
  return curve
}

function torch(threads: number): Curve {
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-bench-'))
  try {
    const bytes = (view: Float32Array | Int32Array) =>
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    writeFileSync(join(folder, 'train.f32'), bytes(train.data))
    writeFileSync(join(folder, 'held-out.f32'), bytes(heldOut.data))
    writeFileSync(join(folder, 'order.i32'), bytes(order))
    const rates = Array.from({ length: BUDGET.steps }, (_, i) => learningRateAt(i + 1, BUDGET))
    const weights = [...start].map(([name, { shape, data }]) => ({ name, shape, data: Array.from(data) }))
    const plan = {
      dim: DIM,
      batch: BUDGET.batch,
      evaluateEvery: BUDGET.evaluateEvery,
      rates,
      threads,
      weights,
    }
    writeFileSync(join(folder, 'plan.json'), JSON.stringify({ ...plan, bijectors: SPEC.bijectors }))
    const script = join(packageRoot, 'bench', 'train_torch.py')
    const { stdout, stderr, status } = spawnSync(values.python as string, [script, folder], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`PyTorch failed: ${stderr}`)
    const { version, curve } = JSON.parse(stdout)
    torchVersion = `, PyTorch ${version}`
    return curve
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function report(): void {
  const last = (curve: Curve) => curve[curve.length - 1]
  const all = [...runs].map(([name, curves]) => ({ name, curves, end: last(curves[0]) }))
  const finals = all.filter(({ end }) => end[2] === BUDGET.steps).map(({ end }) => end[1])
  const best = Math.min(...finals)
  console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}${torchVersion}`)
  console.log(
    `D ${DIM}, 8 couplings of 64 × 64, ${ROWS.train} rows, ${BUDGET.steps} steps of ${BUDGET.batch}; median (least to most) of ${repeats} runs\n`,
  )
  console.log(`${'engine'.padEnd(22)}final NLL    s to within ${NEAR}            records/s`)
  for (const { name, curves, end } of all) {
    const near = curves.map((curve) => curve.find(([, value]) => value <= best + NEAR)?.[0] ?? Number.NaN)
    const rates = curves.map((curve) => (last(curve)[2] * BUDGET.batch) / last(curve)[0])
    const cut = end[2] < BUDGET.steps ? `  cut off after ${end[2]} steps` : ''
    console.log(
      `${name.padEnd(22)}${end[1].toFixed(4).padStart(9)}${spread(near, 2).padStart(26)}${spread(rates, 0).padStart(32)}${cut}`,
    )
  }
  console.log(`\nfinal NLLs within ${(Math.max(...finals) - best).toExponential(1)} nats of each other`)
}

function spread(figures: readonly number[], digits: number): string {
  if (figures.some(Number.isNaN)) return 'never'
  const sorted = [...figures].sort((a, b) => a - b)
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1].map((i) =>
    sorted[i].toFixed(digits),
  )
  return sorted.length === 1 ? median : `${median} (${least} to ${most})`
}

async function startingWeights(): Promise<FlowWeights> {
  await using trainer = KernelTrainer.create(SPEC, initialWeights(SPEC, 7))
  await trainer.initialize({ rows: 4096, columns: DIM, data: train.data.slice(0, 4096 * DIM) })
  return (await trainer.state()).weights
}

function batchOrder(): Int32Array {
  const draw = random(3)
  return Int32Array.from({ length: BUDGET.steps * BUDGET.batch }, () => draw.integer(ROWS.train))
}

/** Four clusters on curved, correlated axes. */
function records(rows: number, seed: number): Matrix {
  const draw = random(seed)
  const data = new Float32Array(rows * DIM)
  for (let r = 0; r < rows; r++) {
    const cluster = draw.integer(4)
    const hidden = [draw.normal(), draw.normal(), draw.normal()]
    for (let d = 0; d < DIM; d++) {
      const bend = d % 3 === 0 ? hidden[0] : d % 3 === 1 ? hidden[1] + 0.5 * hidden[0] ** 2 : hidden[2]
      data[r * DIM + d] = 2 * Math.cos(cluster * (d + 1)) + bend * (1 - 0.04 * d) + 0.2 * draw.normal()
    }
  }
  return { rows, columns: DIM, data }
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
