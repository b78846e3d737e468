/**
 * The same Real NVP (D = 16, 8 couplings of 64 × 64, rotations) scored and trained on one thread by the kernel,
 * by tfjs-node where it is installed (docs/gpu.md), and scored by onnxruntime-node where a folder holds it; all must
 * give the same log p, relative to 1 + |log p|, within 1e-3. Best of many rounds, in turns.
 * Run: npm run build && npx esbuild bench/runtimes.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/runtimes.mjs && TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
 *   node dist/bench/runtimes.mjs [--onnxruntime FOLDER --python PYTHON_WITH_ONNX] [--rounds 50]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Matrix } from '../src/core/flow-spec.ts'
import { packageRoot } from '../src/core/package-root.ts'
import { random } from '../src/core/random.ts'
import { realNvp } from '../src/flow/architectures.ts'
import { tf } from '../src/flow/engine.ts'
import { Flow } from '../src/flow/flow.ts'
import { initialWeights } from '../src/flow/weights.ts'
import { FlowScorer } from '../src/kernel/flow-scorer.ts'
import { loadKernel } from '../src/kernel/kernel.ts'
import { startEngine } from '../src/train/engines.ts'
import { KernelTrainer } from '../src/train/kernel-trainer.ts'
import { TfjsTrainer } from '../src/train/tfjs-trainer.ts'

const DIM = 16
const BATCHES = [1, 1024] as const
const TRAIN_BATCH = 512
const AGREEMENT = 1e-3
const spec = realNvp({ dim: DIM, steps: 8, hidden: [64, 64] })
const draw = random(3)
const weights = new Map(
  [...initialWeights(spec, 1)].map(([name, tensor]) => {
    if (name.endsWith('.matrix')) return [name, tensor]
    return [name, { ...tensor, data: tensor.data.map((value) => value + 0.02 * draw.normal()) }]
  }),
)

interface Runtime {
  readonly name: string
  score(x: Matrix): Promise<Float64Array>
  train?(x: Matrix): Promise<unknown>
}
interface OnnxSession {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>
  readonly outputNames: readonly string[]
}

const { values } = parseArgs({
  options: {
    onnxruntime: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '50' },
  },
})
console.log(`${cpus()[0].model}, one thread each, Node ${process.version}; best of ${values.rounds} rounds\n`)
const runtimes = [await kernel(), await onnxruntime(), await tfjsNode()].filter((r) => r !== undefined)
const wanted = await runtimes[0].score(rows(1024))
for (const { name, score } of runtimes) {
  const worst = (await score(rows(1024))).reduce(
    (most, v, i) => Math.max(most, Math.abs(v - wanted[i]) / (1 + Math.abs(wanted[i]))),
    0,
  )
  console.log(`${name}: log p within ${worst.toExponential(1)} of the kernel`)
  if (!(worst <= AGREEMENT)) process.exitCode = 1
}
const best = new Map<string, { rows: number; milliseconds: number }>()
const inputs = BATCHES.map(rows)
const minibatch = rows(TRAIN_BATCH)
for (let round = 0; round < Number(values.rounds); round++)
  for (const { name, score, train } of runtimes) {
    for (const x of inputs)
      await time(`score, batch ${x.rows}, ${name}`, x.rows, 1024 / x.rows, () => score(x))
    if (train) await time(`train, batch ${TRAIN_BATCH}, ${name}`, TRAIN_BATCH, 1, () => train(minibatch))
  }
console.log()
for (const [what, { rows: count, milliseconds }] of [...best].sort())
  console.log(
    `${what.padEnd(50)}${((1000 * milliseconds) / count).toFixed(2).padStart(9)} µs/record` +
      `${Math.round((1000 * count) / milliseconds)
        .toLocaleString('en')
        .padStart(12)} records/s`,
  )
process.exit()

async function time(
  what: string,
  batch: number,
  repeats: number,
  run: () => Promise<unknown>,
): Promise<void> {
  const started = performance.now()
  for (let i = 0; i < repeats; i++) await run()
  const milliseconds = (performance.now() - started) / repeats
  if (milliseconds < (best.get(what)?.milliseconds ?? Infinity)) best.set(what, { rows: batch, milliseconds })
}

async function kernel(): Promise<Runtime> {
  const scorer = new FlowScorer(loadKernel(), spec, weights)
  const trainer = KernelTrainer.create(spec, structuredClone(weights), { threads: 0 })
  await trainer.initialize(rows(TRAIN_BATCH))
  return {
    name: 'kernel',
    score: async (x) => scorer.logProb(x.data, undefined, x.rows, new Float64Array(x.rows)),
    train: (x) => trainer.step(x, undefined, 1e-4),
  }
}

async function onnxruntime(): Promise<Runtime | undefined> {
  if (values.onnxruntime === undefined) return undefined
  const { InferenceSession, Tensor } = createRequire(join(resolve(values.onnxruntime), 'x.js'))(
    'onnxruntime-node',
  )
  const folder = mkdtempSync(join(tmpdir(), 'surprisal-onnx-'))
  const file = join(folder, 'flow.onnx')
  const tensors = [...weights].map(([name, { shape, data }]) => ({ name, shape, data: [...data] }))
  writeFileSync(join(folder, 'plan.json'), JSON.stringify({ spec, weights: tensors }))
  execFileSync(values.python, [join(packageRoot, 'bench', 'flow_onnx.py'), join(folder, 'plan.json'), file])
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' }
  const session: OnnxSession = await InferenceSession.create(file, options)
  rmSync(folder, { recursive: true })
  return {
    name: 'onnxruntime-node',
    async score({ rows: count, data }) {
      const answer = await session.run({ x: new Tensor('float32', data, [count, DIM]) })
      return Float64Array.from(answer[session.outputNames[0]].data)
    },
  }
}

async function tfjsNode(): Promise<Runtime | undefined> {
  try {
    console.log((await startEngine('node')).device)
  } catch (error) {
    console.log(String(error))
    return undefined
  }
  const flow = Flow.from(spec, weights)
  const trainer = await TfjsTrainer.create({ spec, weights, engine: 'tensorflow' })
  await trainer.initialize(rows(TRAIN_BATCH))
  return {
    name: 'tfjs-node',
    score: async (x) =>
      Float64Array.from(tf.tidy(() => flow.logProb(tf.tensor2d(x.data, [x.rows, DIM])).dataSync())),
    train: (x) => trainer.step(x, undefined, 1e-4),
  }
}

function rows(count: number): Matrix {
  const source = random(1)
  return {
    rows: count,
    columns: DIM,
    data: Float32Array.from({ length: count * DIM }, () => source.normal()),
  }
}
