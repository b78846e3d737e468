/**
 * Trains Real NVP and Glow on every backend that this machine has, from the same weights, with the same batches and
 * budget, and compares held-out NLL and records per second. Ends with exit 1 where two differ by over 0.02 nats.
 * Run: npm run build && npx esbuild bench/backends.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/backends.mjs && node dist/bench/backends.mjs [--steps 200] [--allow-software] [BACKEND...]
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FlowSpec, Matrix } from '../src/core/flow-spec.ts'
import { random } from '../src/core/random.ts'
import { glow, realNvp } from '../src/flow/architectures.ts'
import { parameterCount } from '../src/flow/layout.ts'
import { initialWeights } from '../src/flow/weights.ts'
import { BACKENDS, type BackendName, chooseBackend, describeBackends } from '../src/train/backend.ts'
import { fitFlow } from '../src/train/fit.ts'

const DIM = 8
const SEED = 7
const ROWS = { train: 4000, heldOut: 1000 }
const TOLERANCE = 0.02

const SPECS: Readonly<Record<string, FlowSpec>> = {
  'Real NVP': realNvp({ dim: DIM, steps: 4, hidden: [32, 32] }),
  Glow: glow({ dim: DIM, steps: 4, hidden: [32, 32] }),
}

interface Row {
  readonly backend: BackendName
  readonly flow: string
  readonly heldOutNll: number
  readonly recordsPerSecond: number
  readonly seconds: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'allow-software': { type: 'boolean', default: false },
    steps: { type: 'string', default: '200' },
    child: { type: 'boolean', default: false },
  },
})
const allowSoftware = values['allow-software']
const steps = Number(values.steps)
const BUDGET = { batch: 128, steps, learningRate: 2e-3, warmup: 20, evaluateEvery: steps / 5, patience: 5 }

if (values.child) console.log(JSON.stringify(await trainOn(positionals[0] as BackendName)))
else await compare()

async function compare(): Promise<void> {
  console.log(`${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}`)
  console.log(`${ROWS.train} rows × ${DIM}, batch ${BUDGET.batch}, ${BUDGET.steps} steps, seed ${SEED}\n`)
  const reports = await describeBackends({ allowSoftware })
  for (const { name, available, device, reason } of reports)
    console.log(`${name.padEnd(8)}${available ? `${device}; ${reason}` : `not available: ${reason}`}`)
  const wanted = positionals.length > 0 ? positionals : BACKENDS
  const rows: Row[] = []
  for (const { name, available } of reports)
    if (available && wanted.includes(name)) rows.push(...isolated(name))
  console.log(`\n${'flow'.padEnd(10)}${'backend'.padEnd(10)}held-out NLL  records/s  seconds`)
  for (const { flow, backend, heldOutNll, recordsPerSecond, seconds } of rows)
    console.log(
      `${flow.padEnd(10)}${backend.padEnd(10)}${heldOutNll.toFixed(5).padStart(12)}` +
        `${Math.round(recordsPerSecond).toString().padStart(11)}${seconds.toFixed(1).padStart(9)}`,
    )
  for (const flow of Object.keys(SPECS)) {
    const losses = rows.filter((row) => row.flow === flow).map((row) => row.heldOutNll)
    const spread = Math.max(...losses) - Math.min(...losses)
    console.log(`${flow}: ${losses.length} backends within ${spread.toExponential(1)} nats of each other`)
    if (!(spread <= TOLERANCE)) process.exitCode = 1
  }
}

/** Two builds of libtensorflow cannot share a process. */
function isolated(name: BackendName): readonly Row[] {
  const flags = ['--child', name, '--steps', values.steps, ...(allowSoftware ? ['--allow-software'] : [])]
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...flags], {
    encoding: 'utf8',
  })
  const line = stdout.trim().split('\n').at(-1)
  if (status === 0 && line?.startsWith('[')) return JSON.parse(line)
  console.log(`${name} failed (exit ${status}): ${stderr.trim().split('\n').slice(-3).join(' ')}`)
  process.exitCode = 1
  return []
}

async function trainOn(name: BackendName): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const [flow, spec] of Object.entries(SPECS)) {
    const size = { batch: BUDGET.batch, parameters: parameterCount(spec) }
    const choice = await chooseBackend(name, size, { allowSoftware, timeoutMs: 60_000 })
    await using trainer = await choice.create(spec, initialWeights(spec, SEED))
    const fit = await fitFlow({
      trainer,
      train: { x: records(ROWS.train, 1) },
      heldOut: { x: records(ROWS.heldOut, 2) },
      noise: { gaussian: new Float32Array(DIM), uniform: new Float32Array(DIM) },
      budget: BUDGET,
      seed: SEED,
    })
    const recordsPerSecond = (fit.steps * BUDGET.batch) / fit.seconds
    rows.push({ backend: name, flow, heldOutNll: fit.heldOutNll, recordsPerSecond, seconds: fit.seconds })
  }
  return rows
}

/** Three clusters on curved, correlated axes. */
function records(rows: number, seed: number): Matrix {
  const draw = random(seed)
  const data = new Float32Array(rows * DIM)
  for (let r = 0; r < rows; r++) {
    const cluster = draw.integer(3)
    const hidden = [draw.normal(), draw.normal()]
    for (let d = 0; d < DIM; d++) {
      const bend = d % 2 === 0 ? hidden[0] : hidden[1] + 0.5 * hidden[0] ** 2
      data[r * DIM + d] = 2 * Math.cos(cluster * (d + 1)) + bend * (1 - 0.1 * d) + 0.2 * draw.normal()
    }
  }
  return { rows, columns: DIM, data }
}
