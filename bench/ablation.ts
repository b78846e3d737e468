/**
 * What each member of a detector brings to the ranking: AUROC and AUPRC of subsets of its members, on the development
 * sets (or `--sets`) of a folder laid out as bench/quality.ts says.
 * Run: npm run build && npx esbuild bench/ablation.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/ablation.mjs && node dist/bench/ablation.mjs FOLDER [--sets a,b] [--splits 3]
 */
import { parseArgs } from 'node:util'
import { combine } from '../src/detect/combination.ts'
import { Ensemble } from '../src/detect/ensemble.ts'
import { evaluate } from '../src/detect/evaluate.ts'
import { fitDetector } from '../src/detect/fit/fit-detector.ts'
import { readArtifact } from '../src/detect/model-file/artifact.ts'
import type { Manifest } from '../src/detect/model-file/manifest.ts'
import { Novelty } from '../src/detect/novelty.ts'
import { FeatureEncoder } from '../src/features/encoder.ts'
import { loadKernel } from '../src/kernel/kernel.ts'
import { DEVELOPMENT, loadSet, setsIn, splitOf } from './labelled-sets.ts'

type Member = Manifest['members'][number]
type Choice = (member: Member, index: number, members: readonly Member[]) => boolean
const lastStandardFlow = (members: readonly Member[]) =>
  members.findLastIndex(({ view, mixture }) => view.name === 'standard' && !mixture)
const WITHOUT_NOVELTY = 'without novelty'
const SUBSETS: Readonly<Record<string, Choice>> = {
  everything: () => true,
  [WITHOUT_NOVELTY]: () => true,
  'without exact flow': ({ view }) => view.name !== 'exact',
  'one standard flow': (_, m, members) => m !== lastStandardFlow(members),
  'without mixtures': ({ mixture }) => !mixture,
  'exact flow alone': ({ view, mixture }) => view.name === 'exact' && !mixture,
  'standard flows alone': ({ view, mixture }) => view.name === 'standard' && !mixture,
  'mixtures alone': ({ mixture }) => mixture === true,
  'without standard units': ({ view }) => view.name !== 'standard',
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sets: { type: 'string' }, splits: { type: 'string', default: '3' } },
})
const [folder] = positionals
if (folder === undefined) throw new Error('which folder? node dist/bench/ablation.mjs FOLDER')
const sets = setsIn(folder, values.sets?.split(',') ?? DEVELOPMENT)
const splits = Number(values.splits)

console.log('AUROC / AUPRC in percent, means of the splits\n')
console.log([''.padEnd(24), ...sets, 'mean'].map((name) => name.padStart(15)).join(''))
const found = new Map(Object.keys(SUBSETS).map((name) => [name, sets.map(() => [0, 0])]))
for (const [at, name] of sets.entries()) {
  const data = loadSet(folder, name)
  for (let split = 0; split < splits; split++) await measure(splitOf(data, split), at)
}
for (const [name, figures] of found) {
  const mean = [0, 1].map((i) => figures.reduce((sum, pair) => sum + pair[i], 0) / figures.length)
  const cells = [...figures, mean].map((pair) => pair.map((v) => v.toFixed(1)).join(' / '))
  console.log([name.padEnd(24), ...cells].map((cell) => cell.padStart(15)).join(''))
}

async function measure({ learning, tested, labels }: ReturnType<typeof splitOf>, at: number): Promise<void> {
  const { artifact } = await fitDetector([learning], { rate: 0.01, gate: false })
  const { manifest, weights } = readArtifact(artifact)
  const encoder = FeatureEncoder.fromState(manifest.encoder)
  using ensemble = new Ensemble(loadKernel(), manifest.members, weights, encoder.anchors)
  const encoded = encoder.encode(tested)
  const { members } = ensemble.evaluate(encoded)
  const novelty = new Novelty(encoder).of(encoded)
  for (const [name, takesPart] of Object.entries(SUBSETS)) {
    const chosen = manifest.members.flatMap((member, m) =>
      takesPart(member, m, manifest.members) ? [m] : [],
    )
    const surprisal = combine(
      chosen.map((m) => members[m]),
      chosen.map((m) => manifest.members[m]),
      name === WITHOUT_NOVELTY ? new Float64Array(novelty.length) : novelty,
    )
    const { auroc, auprc } = evaluate(surprisal, surprisal, labels, 0.01)
    const figures = found.get(name)![at]
    figures[0] += (100 * auroc) / splits
    figures[1] += (100 * auprc) / splits
  }
}
