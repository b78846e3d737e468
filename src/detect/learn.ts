import { SurprisalError } from '../core/errors.ts'
import type { FlowWeights } from '../core/flow-spec.ts'
import type { EncodedBatch } from '../features/encoded.ts'
import type { FeatureEncoder } from '../features/encoder.ts'
import type { Overrides } from '../features/profile.ts'
import { loadKernel } from '../kernel/kernel.ts'
import type { BackendName } from '../train/backend.ts'
import type { MembersProgress } from '../train/members.ts'
import { briefBudgetFor, budgetFor, shortened } from '../train/recipe.ts'
import { combine, standardOf } from './combination.ts'
import { type Densities, Ensemble } from './ensemble.ts'
import type { NumberedCheckpoints } from './fit-checkpoints.ts'
import { fitFlows } from './fit-flows.ts'
import type { FittedMixture } from './fit-mixture.ts'
import { type Architecture, jobsOf, mixtureOf, type PlannedMember, planMembers } from './member-plan.ts'
import { Novelty } from './novelty.ts'
import type { TrainingRows } from './training-rows.ts'

export interface LearnOptions {
  readonly architecture: Architecture
  readonly backend: BackendName | 'auto'
  /** Share of the recipe's training steps. */
  readonly effort: number
  readonly seed: number
  readonly overrides: Overrides
  /** Share of the fit and stop rows, the most surprising ones, that a second fit leaves out. */
  readonly contamination: number
  /** Column kinds and members are to be as there, so that log densities compare member by member. */
  readonly like?: Learned
  readonly signal?: AbortSignal
  readonly checkpoints?: NumberedCheckpoints
  readonly onProgress?: (progress: MembersProgress) => void
}

/** An encoder and fitted flows, without calibration. */
export interface Learned {
  readonly encoder: FeatureEncoder
  readonly plan: readonly PlannedMember[]
  readonly weights: readonly FlowWeights[]
  readonly heldOutNll: readonly (number | null)[]
  readonly engine: string
  readonly used: number
  readonly unscored: number
}

const FEWEST = 10

/** Learns encoder and flows from the rows `fit`, stopping by the rows `stop`; trimmed where contamination is stated. */
export async function learn(
  rows: TrainingRows,
  fit: Int32Array,
  stop: Int32Array,
  options: LearnOptions,
): Promise<Learned> {
  const { contamination } = options
  if (contamination === 0) return learnOnce(rows, fit, stop, options)
  const first = await learnOnce(rows, fit, stop, options, true)
  const both = Int32Array.from([...fit, ...stop]).sort()
  const { encoded, kept } = rows.encode(first.encoder, both)
  const { members, novelty } = densitiesOf(first, encoded)
  const surprisals = combine(members, members.map(standardOf), novelty)
  const limit = surprisals.slice().sort()[Math.floor((1 - contamination) * (encoded.rows - 1))]
  const calm = new Set(kept.filter((_, i) => surprisals[i] <= limit))
  return learnOnce(
    rows,
    fit.filter((row) => calm.has(row)),
    stop.filter((row) => calm.has(row)),
    options,
  )
}

/** Log densities of encoded rows under what was learned, and their novelty. */
export function densitiesOf(
  { encoder, plan, weights }: Learned,
  encoded: EncodedBatch,
): Densities & { readonly novelty: Float64Array } {
  const members = plan.map(({ view, spec, mixture }) => ({
    view: view.spec,
    flow: spec,
    ...(mixture && { mixture }),
  }))
  using ensemble = new Ensemble(loadKernel(), members, weights, encoder.anchors)
  return { ...ensemble.evaluate(encoded), novelty: new Novelty(encoder).of(encoded) }
}

async function learnOnce(
  rows: TrainingRows,
  fit: Int32Array,
  stop: Int32Array,
  options: LearnOptions,
  briefly = false,
): Promise<Learned> {
  const { architecture, backend, effort, seed, overrides, like, signal, checkpoints, onProgress } = options
  const encoder = rows.fitEncoder(Int32Array.from([...fit, ...stop]).sort(), {
    overrides: like === undefined ? overrides : { ...overrides, ...kindsOf(like.encoder) },
  })
  const learning = rows.encode(encoder, fit)
  const stopping = rows.encode(encoder, stop)
  const used = learning.encoded.rows + stopping.encoded.rows
  const unscored = learning.unscored + stopping.unscored
  if (learning.encoded.rows < FEWEST || stopping.encoded.rows < 1) {
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `of ${used + unscored} records ${used} can be encoded; a model needs at least ${FEWEST + 1} to learn from: look at the column kinds (surprisal init) or give more data`,
    )
  }
  const members = planMembers(encoder, learning.encoded, architecture, seed)
  // A mixture gives a clump of contamination a component of its own and calls it usual.
  const plan = briefly ? members.filter(({ mixture }) => !mixture) : members
  const { rows: count } = learning.encoded
  const budget = briefly ? briefBudgetFor(count) : shortened(budgetFor(count), effort)
  const jobs = jobsOf(plan, learning.encoded, stopping.encoded, budget)
  const flows = jobs.filter((job) => job !== null)
  const fits = await fitFlows(flows, {
    backend,
    ...(signal && { signal }),
    ...(checkpoints && { checkpoints: checkpoints.round(flows.length) }),
    ...(onProgress && { onProgress }),
  })
  const mixtures: (FittedMixture | null)[] = []
  for (const member of plan)
    mixtures.push(await mixtureOf(member, learning.encoded, stopping.encoded, signal))
  const at = (m: number) => jobs.slice(0, m).filter((job) => job !== null).length
  const fitted = jobs.map((job, m) => (job === null ? null : fits[at(m)]))
  return {
    encoder,
    plan,
    weights: plan.map((_, m) => fitted[m]?.weights ?? mixtures[m]?.mixture.tensors ?? new Map()),
    heldOutNll: plan.map((_, m) => fitted[m]?.heldOutNll ?? mixtures[m]?.heldOutNll ?? null),
    engine: fits[0]?.backend ?? 'none',
    used,
    unscored,
  }
}

/** The decided kinds as if the user had chosen them; constants decide themselves. */
function kindsOf({ state }: FeatureEncoder): Overrides {
  return Object.fromEntries(
    state.profile.flatMap(({ field, kind, context, window }) => {
      if (kind === 'constant') return []
      return [
        [
          field,
          kind === 'identifier' || kind === 'ignored'
            ? { ignore: true }
            : { kind, context, ...(window && { window }) },
        ],
      ]
    }),
  )
}
