import { SurprisalError } from '../../core/errors.ts'
import type { FlowWeights } from '../../core/flow-spec.ts'
import type { EncodedBatch } from '../../features/encoded.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import type { Overrides } from '../../features/profile/profile.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import type { BackendName } from '../../train/backend.ts'
import type { MemberJob } from '../../train/member.ts'
import type { MembersProgress } from '../../train/members.ts'
import type { Parts } from '../../train/parts.ts'
import { briefBudgetFor, budgetFor, shortened, warmed } from '../../train/recipe.ts'
import { combine, standardOf } from '../combination.ts'
import { type Densities, Ensemble } from '../ensemble.ts'
import type { FittedMixture } from '../mixture/fit-mixture.ts'
import { Novelty } from '../novelty.ts'
import type { NumberedCheckpoints } from './fit-checkpoints.ts'
import { type FitFlowsOptions, fitFlows } from './fit-flows.ts'
import { type Architecture, jobsOf, mixtureOf, type PlannedMember, planMembers } from './member-plan.ts'
import type { TrainingRows } from './training-rows.ts'
import { candidatesFor, type FlowStart, type Predecessor } from './warm-start.ts'

export interface LearnOptions {
  readonly architecture: Architecture
  readonly backend: BackendName | 'auto'
  /** Share of the recipe's training steps. */
  readonly effort: number
  readonly seed: number
  readonly overrides: Overrides
  /** Share of the fit and stop rows, the most surprising ones, that a second fit leaves out. */
  readonly contamination: number
  /** The model whose flows are gone on from. */
  readonly predecessor?: Predecessor
  readonly signal?: AbortSignal
  readonly checkpoints?: NumberedCheckpoints
  readonly onBackend?: FitFlowsOptions['onBackend']
  readonly onProgress?: (progress: MembersProgress) => void
}

/** An encoder and fitted flows, without calibration. */
export interface Learned {
  readonly encoder: FeatureEncoder
  readonly plan: readonly PlannedMember[]
  readonly weights: readonly FlowWeights[]
  readonly heldOutNll: readonly (number | null)[]
  /** Where there is a predecessor, of each flow: what came of its knowledge. */
  readonly starts: readonly FlowStart[]
  readonly engine: string
  readonly used: number
  readonly unscored: number
}

const FEWEST = 10

/** Rows to learn from and rows to stop by. */
export type Lesson = Pick<Parts, 'fit' | 'stop'>

/**
 * Learns encoder and members of every lesson, trimmed where contamination is stated; results in the order of the
 * lessons, none of which knows of another's rows but by the kinds of columns, which are those of the first: log
 * densities then compare member by member. All flows train side by side, as many at once as there are cores.
 */
export async function learn(
  rows: TrainingRows,
  lessons: readonly Lesson[],
  options: LearnOptions,
): Promise<readonly Learned[]> {
  const { contamination } = options
  if (contamination === 0) return learnOnce(rows, lessons, options)
  const first = await learnOnce(rows, lessons, options, true)
  return learnOnce(
    rows,
    lessons.map((lesson, i) => trimmed(rows, lesson, first[i], contamination)),
    options,
  )
}

/** Without the share of the rows that what was learned from them finds the most surprising. */
function trimmed(rows: TrainingRows, { fit, stop }: Lesson, learned: Learned, share: number): Lesson {
  const { encoded, kept } = rows.encode(learned.encoder, Int32Array.from([...fit, ...stop]).sort())
  const { members, novelty } = densitiesOf(learned, encoded)
  const surprisals = combine(members, members.map(standardOf), novelty)
  const limit = surprisals.slice().sort()[Math.floor((1 - share) * (encoded.rows - 1))]
  const calm = new Set(kept.filter((_, i) => surprisals[i] <= limit))
  return { fit: fit.filter((row) => calm.has(row)), stop: stop.filter((row) => calm.has(row)) }
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
  lessons: readonly Lesson[],
  options: LearnOptions,
  briefly = false,
): Promise<readonly Learned[]> {
  const { backend, signal, checkpoints, onBackend, onProgress } = options
  const prepared: Prepared[] = []
  for (const lesson of lessons)
    prepared.push(prepare(rows, lesson, options, { briefly, like: prepared[0]?.encoder }))
  const flows = prepared.flatMap(({ jobs }) => jobs.filter((job) => job !== null))
  const fits = await fitFlows(flows, {
    backend,
    ...(signal && { signal }),
    ...(checkpoints && { checkpoints: checkpoints.round(flows.length) }),
    ...(onBackend && { onBackend }),
    ...(onProgress && { onProgress }),
  })
  const next = fits.values()
  const learned: Learned[] = []
  for (const { encoder, plan, known, jobs, learning, stopping, used, unscored } of prepared) {
    const fitted = jobs.map((job) => (job === null ? null : next.next().value!))
    const mixtures: (FittedMixture | null)[] = []
    for (const member of plan) mixtures.push(await mixtureOf(member, learning, stopping, signal))
    learned.push({
      encoder,
      plan,
      weights: plan.map((_, m) => fitted[m]?.weights ?? mixtures[m]?.mixture.tensors ?? new Map()),
      heldOutNll: plan.map((_, m) => fitted[m]?.heldOutNll ?? mixtures[m]?.heldOutNll ?? null),
      starts: fitted.flatMap((fit, m) => {
        const candidates = known[m]
        if (fit === null || candidates === undefined) return []
        return [typeof candidates === 'string' ? candidates : fit.start]
      }),
      engine: fits[0]?.backend ?? 'none',
      used,
      unscored,
    })
  }
  return learned
}

/** A lesson before its flows are fitted. */
interface Prepared extends Pick<Learned, 'encoder' | 'plan' | 'used' | 'unscored'> {
  readonly learning: EncodedBatch
  readonly stopping: EncodedBatch
  /** Of the predecessor, per member; a text says why there is nothing. */
  readonly known: readonly (readonly FlowWeights[] | string | undefined)[]
  readonly jobs: readonly (MemberJob | null)[]
}

function prepare(
  rows: TrainingRows,
  { fit, stop }: Lesson,
  { architecture, effort, seed, overrides, predecessor }: LearnOptions,
  { briefly, like }: { readonly briefly: boolean; readonly like: FeatureEncoder | undefined },
): Prepared {
  const encoder = rows.fitEncoder(Int32Array.from([...fit, ...stop]).sort(), {
    overrides: like === undefined ? overrides : { ...overrides, ...kindsOf(like) },
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
  const known = plan.map((member, m) =>
    briefly || predecessor === undefined ? undefined : candidatesFor(predecessor, m, member, encoder),
  )
  return {
    encoder,
    plan,
    known,
    jobs: jobsOf(plan, learning.encoded, stopping.encoded, budget).map((job, m) => {
      const candidates = known[m]
      if (job === null || candidates === undefined || typeof candidates === 'string') return job
      return { ...job, warm: { candidates, budget: warmed(budget) } }
    }),
    learning: learning.encoded,
    stopping: stopping.encoded,
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
