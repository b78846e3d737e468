/**
 * AUROC and AUPRC (per record, not point-adjusted) of the detector that `surprisal fit` makes, with windows and without,
 * over Arrow files of one stream each: `time`, numbers, `label`, and `train` (1 marks the normal records, the earlier
 * ones, to learn from; all others are the test set). `--features FOLDER` writes the very columns that the detector saw, so
 * that bench/streams-baselines.py can judge them; `--baselines FILE` prints what it found beside.
 * Run: npm run build && npx esbuild bench/streams.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/streams.mjs && node dist/bench/streams.mjs FILE... [--terms 'difference 1, mean 12']
 *   [--features FOLDER] [--baselines FILE] [--effort 1] [--seed 0]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { tableFromIPC } from 'apache-arrow'
import { type Column, cell, type RecordBatch } from '../src/core/record.ts'
import { Detector } from '../src/detect/detector.ts'
import { evaluate } from '../src/detect/evaluate.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'
import { selectRows } from '../src/features/select-rows.ts'
import { StreamWindows } from '../src/features/windows/stream-windows.ts'
import { windowField } from '../src/features/windows/window-terms.ts'

const RATE = 0.001

interface Stream {
  readonly name: string
  readonly batch: RecordBatch
  readonly label: Uint8Array
  readonly train: Uint8Array
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    terms: { type: 'string', default: 'difference 1, mean 12, std 12' },
    features: { type: 'string' },
    baselines: { type: 'string' },
    effort: { type: 'string', default: '1' },
    seed: { type: 'string', default: '0' },
  },
})
if (positionals.length === 0) throw new Error('which files? node dist/bench/streams.mjs FILE...')
const known = values.baselines === undefined ? new Map<string, string[]>() : readBaselines(values.baselines)
console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}, seed ${values.seed}`,
)
console.log(
  `AUROC / AUPRC in percent, per record; windows: ${values.terms}; alarms per normal record at ${RATE}\n`,
)
const methods = [...new Set([...known.values()].flatMap((cells) => cells.map((one) => one.split('=')[0])))]
console.log(row('stream', ['alone', 'windows', 'alarms', ...methods]))
const all: number[][] = []
for (const path of positionals) {
  const stream = load(path)
  const alone = await measure(stream, '')
  const looking = await measure(stream, values.terms)
  const beside = known.get(stream.name) ?? []
  const others = beside.flatMap((one) => one.split('=')[1].split('/').map(Number))
  all.push([...alone.slice(0, 2), ...looking, ...others])
  print(stream.name, all[all.length - 1])
}
print(
  'mean',
  all[0].map((_, i) => all.reduce((sum, figures) => sum + figures[i], 0) / all.length),
)

/** AUROC, AUPRC, and realised alarms per normal record. */
async function measure({ name, batch, label, train }: Stream, terms: string): Promise<number[]> {
  const fields = [...batch.columns.keys()].filter((field) => field !== 'time')
  const windows = {
    fields: terms === '' ? [] : fields.map((field) => windowField(field, terms.split(','))),
    clock: false,
  }
  const learning = rowsWhere(batch, train, 1)
  const { artifact, manifest } = await fitDetector([learning], {
    windows,
    rate: RATE,
    seed: Number(values.seed),
    effort: Number(values.effort),
    gate: false,
  })
  await using detector = await Detector.load(artifact, { workers: 0 })
  const seen = manifest.windows === undefined ? batch : new StreamWindows(manifest.windows).append(batch)
  const tested = rowsWhere(seen, train, 0)
  if (terms !== '' && values.features !== undefined) writeFeatures(values.features, name, seen, label, train)
  const { score, pValue } = await detector.score(tested, { explain: false })
  const { auroc, auprc, realised_rate } = evaluate(
    score,
    pValue,
    label.filter((_, i) => train[i] === 0),
    RATE,
  )
  return [100 * auroc, 100 * auprc, 100 * realised_rate]
}

function load(path: string): Stream {
  const table = tableFromIPC(readFileSync(path))
  const column = (field: string) => table.getChild(field)!.toArray()
  const columns = new Map<string, Column>()
  for (const { name } of table.schema.fields) {
    if (name === 'time')
      columns.set(name, { kind: 'timestamp', values: Float64Array.from(column(name), Number) })
    else if (name !== 'label' && name !== 'train')
      columns.set(name, { kind: 'number', values: Float64Array.from(column(name), Number), integer: false })
  }
  const name = basename(path, '.arrow')
  return {
    name,
    batch: { rows: table.numRows, columns, origin: { prefix: name, offsets: { first: 0 } } },
    label: Uint8Array.from(column('label'), Number),
    train: Uint8Array.from(column('train'), Number),
  }
}

function rowsWhere(batch: RecordBatch, train: Uint8Array, is: number): RecordBatch {
  return selectRows(
    batch,
    [...train.keys()].filter((i) => train[i] === is),
  )
}

function writeFeatures(
  folder: string,
  name: string,
  batch: RecordBatch,
  label: Uint8Array,
  train: Uint8Array,
): void {
  mkdirSync(folder, { recursive: true })
  const columns = [...batch.columns].filter(([field]) => field !== 'time')
  const lines = [['label', 'train', ...columns.map(([field]) => `"${field}"`)].join()]
  for (let i = 0; i < batch.rows; i++)
    lines.push([label[i], train[i], ...columns.map(([, column]) => cell(column, i) ?? '')].join())
  writeFileSync(join(folder, `${name}.csv`), `${lines.join('\n')}\n`)
}

/** Lines `stream,method,auroc,auprc`. */
function readBaselines(path: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of readFileSync(path, 'utf8').trim().split('\n').slice(1)) {
    const [stream, method, auroc, auprc] = line.split(',')
    found.set(stream, [...(found.get(stream) ?? []), `${method}=${auroc}/${auprc}`])
  }
  return found
}

function print(title: string, figures: readonly number[]): void {
  const [aloneRoc, alonePr, roc, pr, alarms, ...others] = figures
  const pair = (a: number, b: number) => `${a.toFixed(1)} / ${b.toFixed(1)}`
  const beside = others.flatMap((figure, i) => (i % 2 === 0 ? [pair(figure, others[i + 1])] : []))
  console.log(row(title, [pair(aloneRoc, alonePr), pair(roc, pr), `${alarms.toFixed(2)} %`, ...beside]))
}

function row(title: string, cells: readonly string[]): string {
  return title.padEnd(14) + cells.map((text) => text.padStart(16)).join('')
}
