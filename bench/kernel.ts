/**
 * Records per second of the fused kernel, one core: scoring (batch 1 and 1024) and training (batch 512, Adam) of Real
 * NVP and Glow, D = 16, 8 steps, hidden 64 × 64, beside tfjs-cpu and the processor's own 128-bit ceiling; then two
 * worker threads. Times are the best of many short rounds, so a busy machine shows in the scaling alone.
 * Run: npm run build && npx esbuild bench/kernel.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/kernel.mjs && node dist/bench/kernel.mjs [--rounds 200]
 */
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { FlowSpec, Matrix } from '../src/core/flow-spec.ts'
import { packageVersion } from '../src/core/package-root.ts'
import { random } from '../src/core/random.ts'
import { glow, realNvp } from '../src/flow/architectures.ts'
import { tf, useCpu } from '../src/flow/engine.ts'
import { Flow } from '../src/flow/flow.ts'
import { initialWeights } from '../src/flow/weights.ts'
import { FlowScorer } from '../src/kernel/flow-scorer.ts'
import { loadKernel } from '../src/kernel/kernel.ts'
import { KernelTrainer } from '../src/train/kernel-trainer.ts'
import { TfjsTrainer } from '../src/train/tfjs-trainer.ts'
import { multiplyAddCeiling } from './ceiling.ts'

const DIM = 16
const HIDDEN = 64
const STEPS = 8
const SPECS: Readonly<Record<string, FlowSpec>> = {
  'Real NVP, permutations': realNvp({
    dim: DIM,
    steps: STEPS,
    hidden: [HIDDEN, HIDDEN],
    mixing: 'permutation',
  }),
  'Real NVP, rotations': realNvp({ dim: DIM, steps: STEPS, hidden: [HIDDEN, HIDDEN] }),
  Glow: glow({ dim: DIM, steps: STEPS, hidden: [HIDDEN, HIDDEN] }),
}

interface Case {
  readonly name: string
  readonly rows: number
  readonly flops: number
  run(): void | Promise<void>
  best: number
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } })
const rounds = Number(values.rounds)

if (isMainThread) await compare()
else scoreFor(workerData as number)

async function compare(): Promise<void> {
  console.log(
    `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version} (V8 ${process.versions.v8}), ` +
      `surprisal ${packageVersion}`,
  )
  console.log(`D = ${DIM}, ${STEPS} steps, hidden ${HIDDEN} × ${HIDDEN}; best of ${rounds} rounds\n`)
  const ceilings = { 'relaxed-simd': 0, simd: 0 }
  const cases = [...scoringCases(), ...(await trainingCases(0, 'one core'))]
  for (let round = 0; round < rounds; round++) {
    ceilings['relaxed-simd'] = Math.max(ceilings['relaxed-simd'], multiplyAddCeiling(true))
    ceilings.simd = Math.max(ceilings.simd, multiplyAddCeiling(false))
    for (const each of cases) await time(each)
  }
  console.log('ceiling of 128-bit multiply-add, one core, GFLOP/s:', ceilings)
  print(cases, ceilings['relaxed-simd'])
  await scaling(cases)
  await tfjs()
}

async function time(each: Case): Promise<void> {
  const start = performance.now()
  await each.run()
  each.best = Math.min(each.best, performance.now() - start)
}

function scoringCases(): Case[] {
  return [true, false].flatMap((relaxed) =>
    Object.entries(SPECS).flatMap(([name, spec]) => {
      const kernel = loadKernel({ relaxed })
      const scorer = new FlowScorer(kernel, spec, initialWeights(spec, 1))
      return [1, 1024].map((batch): Case => {
        const x = records(batch).data
        const out = new Float64Array(batch)
        const repeats = 1024 / batch
        return {
          name: `score, ${kernel.variant}, ${name}, batch ${batch}`,
          rows: 1024,
          flops: 2 * multiplyAdds(spec),
          best: Infinity,
          run() {
            for (let i = 0; i < repeats; i++) scorer.logProb(x, undefined, batch, out)
          },
        }
      })
    }),
  )
}

async function trainingCases(threads: number, label: string): Promise<Case[]> {
  const batch = records(512)
  return Promise.all(
    Object.entries(SPECS).map(async ([name, spec]): Promise<Case> => {
      const trainer = KernelTrainer.create(spec, initialWeights(spec, 1), { threads })
      await trainer.initialize(batch)
      return {
        name: `train, ${label}, ${name}, batch 512`,
        rows: 512,
        flops: 6 * multiplyAdds(spec),
        best: Infinity,
        run: () => trainer.step(batch, undefined, 1e-4),
      }
    }),
  )
}

/** Two threads against one, in the same minute. */
async function scaling(alone: readonly Case[]): Promise<void> {
  const one = await Promise.all([scoringWorker(2000)])
  const two = await Promise.all([scoringWorker(2000), scoringWorker(2000)])
  const total = (rates: readonly number[]): number => rates.reduce((sum, rate) => sum + rate, 0)
  console.log(
    `\nscore, Glow, batch 1024, for 2 s: 1 thread ${thousands(total(one))} rec/s, ` +
      `2 threads ${thousands(total(two))} rec/s: ${(total(two) / total(one)).toFixed(2)} ×`,
  )
  const shared = await trainingCases(2, 'two threads')
  for (let round = 0; round < rounds; round++) for (const each of shared) await time(each)
  for (const each of shared) {
    const base = alone.find(({ name }) => name === each.name.replace('two threads', 'one core'))!
    console.log(`${each.name}: ${thousands(rate(each))} rec/s, ${(base.best / each.best).toFixed(2)} ×`)
  }
}

function scoringWorker(milliseconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: milliseconds })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

function scoreFor(milliseconds: number): void {
  const spec = SPECS.Glow
  const scorer = new FlowScorer(loadKernel(), spec, initialWeights(spec, 1))
  const { data } = records(1024)
  const out = new Float64Array(1024)
  for (let i = 0; i < 50; i++) scorer.logProb(data, undefined, 1024, out)
  const start = performance.now()
  let scored = 0
  for (; performance.now() - start < milliseconds; scored += 1024) scorer.logProb(data, undefined, 1024, out)
  parentPort!.postMessage((1000 * scored) / (performance.now() - start))
}

async function tfjs(): Promise<void> {
  await useCpu()
  const cases: Case[] = []
  for (const [name, spec] of Object.entries(SPECS)) {
    const flow = Flow.from(spec, initialWeights(spec, 1))
    const score = (batch: number): Case => ({
      name: `score, tfjs-cpu, ${name}, batch ${batch}`,
      rows: batch,
      flops: 2 * multiplyAdds(spec),
      best: Infinity,
      run() {
        tf.tidy(() => flow.logProb(tf.tensor2d(records(batch).data, [batch, DIM])).dataSync())
      },
    })
    const trainer = await TfjsTrainer.create({ spec, weights: initialWeights(spec, 1), engine: 'cpu' })
    const train: Case = {
      name: `train, tfjs-cpu, ${name}, batch 512`,
      rows: 512,
      flops: 6 * multiplyAdds(spec),
      best: Infinity,
      run: () => trainer.step(records(512), undefined, 1e-4),
    }
    cases.push(score(1), score(1024), train)
  }
  for (let round = 0; round < 3; round++) for (const each of cases) await time(each)
  console.log()
  print(cases)
}

function print(cases: readonly Case[], ceiling?: number): void {
  for (const each of cases) {
    const gflops = (each.flops * rate(each)) / 1e9
    const share = ceiling ? `  ${((100 * gflops) / ceiling).toFixed(0)} % of the relaxed ceiling` : ''
    console.log(
      `${each.name.padEnd(58)}${((1000 * each.best) / each.rows).toFixed(2).padStart(9)} µs/rec` +
        `${thousands(rate(each)).padStart(9)} rec/s${gflops.toFixed(1).padStart(7)} GFLOP/s${share}`,
    )
  }
}

function rate({ rows, best }: Case): number {
  return (1000 * rows) / best
}
function thousands(value: number): string {
  return `${(value / 1000).toFixed(1)} k`
}
/** Multiply-adds of one record through the matrices of a flow. */
function multiplyAdds(spec: FlowSpec): number {
  const matrices = spec.bijectors.filter((b) => b.kind === 'rotation' || b.kind === 'lu-linear').length
  return STEPS * ((DIM / 2) * HIDDEN + HIDDEN * HIDDEN + HIDDEN * DIM) + matrices * DIM * DIM
}
function records(rows: number): Matrix {
  const draw = random(1)
  return { rows, columns: DIM, data: Float32Array.from({ length: rows * DIM }, () => draw.normal()) }
}
