import { contextColumns, type FlowSpec } from '../core/flow-spec.ts'
import type { EncodedBatch, EncodedLayout } from '../features/encoded.ts'
import { exactView, jointView, type View } from '../features/view.ts'
import { glow, realNvp } from '../flow/architectures.ts'
import type { FlowRows } from '../train/augment.ts'
import { type MemberJob, sharedRows } from '../train/member.ts'
import { budgetFor, FLOW_SHAPE } from '../train/recipe.ts'
import type { Budget } from '../train/schedule.ts'

/** Fewer steps than this teach nothing. */
const MIN_STEPS = 50

export type Architecture = 'real-nvp' | 'glow'

/** One flow of a detector before it is fitted. */
export interface PlannedMember {
  readonly view: View
  /** null where the view has no dimension to model. */
  readonly spec: FlowSpec | null
  readonly seed: number
}

/**
 * Which flows a detector gets: two of the exact density and two that see every number as a number; where both are
 * the same, four of the exact density. Data that is all discrete has the exact density of its counts and no flow.
 */
export function planMembers(
  layout: EncodedLayout,
  architecture: Architecture,
  seed: number,
  both = viewsDiffer(layout),
): readonly PlannedMember[] {
  const views = [...copies(exactView(layout), both ? 2 : 4), ...(both ? copies(jointView(layout), 2) : [])]
  return views.map((view, i) => ({
    view,
    spec: view.dim === 0 ? null : specOf(view, architecture, seed + i),
    seed: (Math.imul(seed, 0x9e3779b1) + i) >>> 0,
  }))
}

/** A column has heaps or levels, which the exact view takes out of the continuous part. */
export function viewsDiffer({ numeric, discrete }: EncodedLayout): boolean {
  const heaps = discrete.some(({ role, levels }) => role === 'state' && levels > 3)
  return heaps || numeric.some(({ lowCardinality }) => lowCardinality)
}

/** A flow of no dimension needs no second opinion. */
function copies(view: View, count: number): View[] {
  if (view.dim === 0) return view.spec.name === 'exact' ? [view] : []
  return new Array<View>(count).fill(view)
}

function specOf({ dim, context }: View, architecture: Architecture, seed: number): FlowSpec {
  const options = { dim, context, steps: FLOW_SHAPE.steps, hidden: FLOW_SHAPE.hidden }
  return architecture === 'glow' ? glow(options) : realNvp({ ...options, seed })
}

/** What each planned member learns from; null where it has no flow. Members of one view share their rows. */
export function jobsOf(
  plan: readonly PlannedMember[],
  fit: EncodedBatch,
  stop: EncodedBatch,
  effort: number,
): readonly (MemberJob | null)[] {
  const budget = shortened(budgetFor(fit.rows), effort)
  const rows = new Map<View, Pick<MemberJob, 'train' | 'heldOut' | 'noise'>>()
  return plan.map(({ view, spec, seed }) => {
    if (spec === null) return null
    const own = rows.get(view) ?? {
      train: sharedRows(rowsOf(view, fit)),
      heldOut: sharedRows(rowsOf(view, stop)),
      noise: {
        gaussian: Float32Array.from(view.noise.gaussian),
        uniform: Float32Array.from(view.noise.uniform),
      },
    }
    rows.set(view, own)
    return { ...own, spec, seed, budget }
  })
}

function shortened(budget: Budget, effort: number): Budget {
  if (effort === 1) return budget
  const steps = Math.max(MIN_STEPS, Math.round(effort * budget.steps))
  return {
    ...budget,
    steps,
    warmup: Math.min(budget.warmup, Math.ceil(steps / 5)),
    evaluateEvery: Math.ceil(steps / 10),
  }
}

function rowsOf(view: View, encoded: EncodedBatch): FlowRows {
  const { x, context, fill } = view.input(encoded)
  const columns = contextColumns(view.context)
  const { rows } = encoded
  return {
    x: { rows, columns: view.dim, data: x },
    ...(columns > 0 && { context: { rows, columns, data: context } }),
    ...(fill && { fill }),
  }
}
