/**
 * One-class detection of network attacks (NSL-KDD): learns from the normal connections of the training part, scores the
 * test part. AUROC, AUPRC, the recall at the threshold that flags 1 % of the test's normal connections, and recall and
 * realised rate at the detector's own 1 %. bench/connections_baselines.py measures the baselines of scikit-learn on the
 * same rows. The file: Arrow, numbers and dictionaries, `attack`, `label` (1 an attack), `train`. Run: npm run build &&
 *   npx esbuild bench/connections.ts --bundle --packages=external --platform=node --target=node20 --format=esm \
 *   --outfile=dist/bench/connections.mjs && node dist/bench/connections.mjs nsl_kdd.arrow [--seed 0]
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { openFiles } from '../connectors/files/open.ts'
import { cell, type RecordBatch } from '../src/core/record.ts'
import { Detector } from '../src/detect/detector.ts'
import { evaluate } from '../src/detect/evaluate.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'

const RATE = 0.01

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '0' } },
})
const [file] = positionals
if (file === undefined) throw new Error('which file? node dist/bench/connections.mjs nsl_kdd.arrow')

const learned = await batches([
  { column: 'train', value: '1' },
  { column: 'label', value: '0' },
])
const started = performance.now()
const { artifact, manifest } = await fitDetector(learned, {
  rate: RATE,
  seed: Number(values.seed),
  gate: false,
  ignore: ['attack', 'label', 'train'],
})
const seconds = (performance.now() - started) / 1000

const scores: number[] = []
const pValues: number[] = []
const labels: number[] = []
await using detector = await Detector.load(artifact)
for (const batch of await batches([{ column: 'train', value: '0' }])) {
  const { score, pValue } = await detector.score(batch, { explain: false })
  for (let row = 0; row < batch.rows; row++) {
    scores.push(score[row])
    pValues.push(pValue[row])
    labels.push(Number(cell(batch.columns.get('label')!, row)))
  }
}
const { auroc, auprc, recall, realised_rate, records, anomalies } = evaluate(scores, pValues, labels, RATE)
const normals = scores.filter((_, i) => labels[i] === 0).sort((a, b) => b - a)
const limit = normals[Math.floor(RATE * normals.length)]
const caught = scores.filter((score, i) => labels[i] === 1 && score > limit).length

const percent = (share: number) => (100 * share).toFixed(1)
console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}, seed ${values.seed}`,
)
console.log(
  `${manifest.lineage.used} connections learned in ${seconds.toFixed(0)} s, ${records} scored, ${anomalies} attacks`,
)
console.log(`AUROC ${percent(auroc)}  AUPRC ${percent(auprc)}`)
console.log(`recall at 1 % of the test's normal connections flagged: ${percent(caught / anomalies)} %`)
console.log(
  `at the detector's own 1 %: recall ${percent(recall)} %, ${percent(realised_rate)} % of the normal ones flagged`,
)

async function batches(where: { column: string; value: string }[]): Promise<RecordBatch[]> {
  const stop = new AbortController()
  await using source = await openFiles([file], { where }, stop.signal)
  const found: RecordBatch[] = []
  for await (const { batch, ack } of source.deliveries(stop.signal)) {
    found.push(batch)
    await ack()
  }
  return found
}
