/**
 * Microseconds a record of judging by the weakest field under a Gaussian mixture, one core: the kernel, the same in
 * float64 JavaScript, and a flow of that many dimensions beside them. Best of many rounds.
 * Run: npm run build && npx esbuild bench/mixture.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/mixture.mjs && node dist/bench/mixture.mjs
 */
import { cpus } from 'node:os'
import type { FlowWeights } from '../src/core/flow-spec.ts'
import { random } from '../src/core/random.ts'
import { GaussianMixture } from '../src/detect/mixture/gaussian-mixture.ts'
import { realNvp } from '../src/flow/architectures.ts'
import { initialWeights } from '../src/flow/weights.ts'
import { FlowScorer } from '../src/kernel/flow-scorer.ts'
import { loadKernel } from '../src/kernel/kernel.ts'
import { MixtureScorer } from '../src/kernel/mixture-scorer.ts'

const ROWS = 4096
const ROUNDS = 40

function mixtureOf(dim: number, components: number): FlowWeights {
  const draw = random(dim)
  const normals = (size: number, scale: number) =>
    Float32Array.from({ length: size }, () => scale * draw.normal())
  const whitening = normals(components * dim * dim, 1 / Math.sqrt(dim)).map((v, at) => {
    const [i, j] = [Math.floor(at / dim) % dim, at % dim]
    return i === j ? Math.exp(v) : j < i ? v : 0
  })
  return new Map([
    ['log_weight', { shape: [components], data: new Float32Array(components).fill(-Math.log(components)) }],
    ['mean', { shape: [components, dim], data: normals(components * dim, 1) }],
    ['whitening', { shape: [components, dim, dim], data: whitening }],
    ['median', { shape: [dim], data: new Float32Array(dim) }],
  ])
}

function best(rounds: number, rows: number, run: () => void): string {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    run()
    least = Math.min(least, performance.now() - start)
  }
  return ((1000 * least) / rows).toFixed(3)
}

const kernel = loadKernel()
const out = new Float64Array(ROWS)
console.log(`${cpus()[0].model}, Node ${process.version}, ${kernel.variant}; µs a record`)
for (const [dim, components] of [
  [16, 1],
  [16, 8],
  [62, 4],
  [128, 8],
]) {
  const draw = random(2)
  const x = Float32Array.from({ length: ROWS * dim }, () => draw.normal())
  const weights = mixtureOf(dim, components)
  const mixture = new MixtureScorer(kernel, weights, dim)
  const plain = new GaussianMixture(weights, dim)
  const spec = realNvp({ dim, steps: 8, hidden: [64, 64] })
  const flow = new FlowScorer(kernel, spec, initialWeights(spec, 1))
  console.log({
    dim,
    components,
    kernel: best(ROUNDS, ROWS, () => mixture.weakest(x, ROWS, undefined, out)),
    javascript: best(3, ROWS / 8, () => plain.conditionals(x, ROWS / 8)),
    flow: best(ROUNDS, ROWS, () => flow.logProb(x, undefined, ROWS, out)),
  })
}
