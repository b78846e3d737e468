/**
 * AUROC, AUPRC and realised alarm rates of the detector that `surprisal fit` makes, beside baselines, over a folder of
 * Arrow files with columns f0 …, `label` and `train_0` … (1 marks a normal row to learn from; every other row is the
 * test set) and a baselines.csv (dataset, method, auroc, auprc). Choices of the recipe looked at the development sets
 * only. Run: npm run build && npx esbuild bench/quality.ts --bundle --packages=external --platform=node \
 *   --target=node20 --format=esm --outfile=dist/bench/quality.mjs && node dist/bench/quality.mjs FOLDER [--sets a,b]
 *   [--splits 3] [--seed 0] [--flow real-nvp]
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { Detector } from '../src/detect/detector.ts'
import { evaluate } from '../src/detect/evaluate.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'
import { DEVELOPMENT, type Labelled, loadSet, readBaselines, setsIn, splitOf } from './labelled-sets.ts'

const RATES = [0.01, 0.001]

interface Result {
  readonly auroc: number
  readonly auprc: number
  /** Alarms among normal test rows, per rate. */
  readonly alarms: readonly number[]
  readonly normals: number
  readonly seconds: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sets: { type: 'string' },
    splits: { type: 'string', default: '3' },
    seed: { type: 'string', default: '0' },
    flow: { type: 'string', default: 'real-nvp' },
  },
})
const [folder] = positionals
if (folder === undefined) throw new Error('which folder? node dist/bench/quality.mjs FOLDER')
const sets = setsIn(folder, values.sets?.split(','))
const baselines = readBaselines(folder)

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}, seed ${values.seed}`,
)
console.log(
  'AUROC / AUPRC in percent, means of the splits; realised alarms per normal row at 1 % and 0.1 %\n',
)
console.log(row('set', ['surprisal', 'kNN', 'mixture', 'best', 'at 1 %', 'at 0.1 %', 's/fit']))
const means = new Map<string, { readonly own: Result; readonly others: readonly (readonly number[])[] }>()
for (const name of sets) {
  const data = loadSet(folder, name)
  const results: Result[] = []
  for (let split = 0; split < Number(values.splits); split++) results.push(await measure(data, split))
  const own = meanOf(results)
  const known = baselines.get(name) ?? []
  const best = [0, 1].map((i) => Math.max(...known.map((b) => b.figures[i])))
  const others = [known.find((b) => b.method === 'kNN5'), known.find((b) => b.method === 'GMM')].map(
    (b) => b?.figures ?? [Number.NaN, Number.NaN],
  )
  means.set(name, { own, others: [...others, best] })
  print(name, own, [...others, best])
}
for (const [title, chosen] of [
  ['development', sets.filter((name) => DEVELOPMENT.includes(name))],
  ['others', sets.filter((name) => !DEVELOPMENT.includes(name))],
  ['all', sets],
] as const) {
  if (chosen.length === 0) continue
  const members = chosen.map((name) => means.get(name)!)
  const others = members[0].others.map((_, b) =>
    [0, 1].map((i) => members.reduce((sum, m) => sum + m.others[b][i], 0) / members.length),
  )
  print(title, meanOf(members.map((m) => m.own)), others)
}

async function measure(data: Labelled, split: number): Promise<Result> {
  const { learning, tested, labels } = splitOf(data, split)
  const started = performance.now()
  const { artifact } = await fitDetector([learning], {
    flow: values.flow === 'glow' ? 'glow' : 'real-nvp',
    rate: RATES[0],
    seed: Number(values.seed),
    gate: false,
  })
  const seconds = (performance.now() - started) / 1000
  await using detector = await Detector.load(artifact, { workers: 0 })
  const { score, pValue } = await detector.score(tested, { explain: false })
  const each = RATES.map((rate) => evaluate(score, pValue, labels, rate))
  const { auroc, auprc, records, anomalies } = each[0]
  return {
    auroc: 100 * auroc,
    auprc: 100 * auprc,
    alarms: each.map((e) => e.realised_rate),
    normals: records - anomalies,
    seconds,
  }
}

function meanOf(results: readonly Result[]): Result {
  const mean = (of: (result: Result) => number) =>
    results.reduce((sum, result) => sum + of(result), 0) / results.length
  return {
    auroc: mean((r) => r.auroc),
    auprc: mean((r) => r.auprc),
    alarms: RATES.map((_, i) => mean((r) => r.alarms[i])),
    normals: mean((r) => r.normals),
    seconds: mean((r) => r.seconds),
  }
}

function print(title: string, own: Result, others: readonly (readonly number[])[]): void {
  const pair = ([auroc, auprc]: readonly number[]) => `${auroc.toFixed(1)} / ${auprc.toFixed(1)}`
  const rates = own.alarms.map((rate) => `${(100 * rate).toFixed(2)} %`)
  console.log(
    row(title, [pair([own.auroc, own.auprc]), ...others.map(pair), ...rates, own.seconds.toFixed(1)]),
  )
}

function row(title: string, cells: readonly string[]): string {
  return title.padEnd(14) + cells.map((cell) => cell.padStart(14)).join('')
}
